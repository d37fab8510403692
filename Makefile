# Everything a fresh clone needs is set up by these targets: a virtual environment in .venv, Chromium for the browser tests.
#   make demo            a whole purchase, told line by line; then try it by hand   (ARGS=--once leaves after the story)
#   make test            every test, on both database engines                       (ARGS='-k words' runs some)
#   make check           ruff and mypy
#   make bench           the benchmark, in one run                                  (ARGS='--seconds 5')
#   make soak            processes killed during ten thousand deliveries, eight times: some six minutes
#   make races           shops told of 100 payments eight times each, all at once: some two minutes
#   make kills           the gateway killed before every line of an attempt, many hours   (KILLS=lines: twenty minutes; ARGS='-k "sqlite and wave"')
#   make ci              check and test

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check
ARGS ?=
KILLS ?= all

.PHONY: demo test check bench soak races kills ci clean
.DELETE_ON_ERROR:

demo: $(STAMPS)/run
	@$(BIN)/cauri demo $(ARGS)

# Three workers for two cores: much of a test's time is waiting, for other processes and for pages. Four are no faster by much, and find a busy machine.
test: $(STAMPS)/dev $(STAMPS)/browser
	$(BIN)/python -m pytest -n 3 --dist loadgroup $(ARGS)

check: $(STAMPS)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd sdk/python && ../../$(BIN)/ruff format --check . && ../../$(BIN)/ruff check . && ../../$(BIN)/mypy

bench: $(STAMPS)/dev
	$(BIN)/python -m bench $(ARGS)

soak: $(STAMPS)/dev
	CAURI_TEST_SOAK=10000 $(BIN)/python -m pytest -s tests/crashes/test_telling_killed.py $(ARGS)

races: $(STAMPS)/dev
	CAURI_SHOP_RACE=100 $(BIN)/python -m pytest sdk/python/tests/test_sqlalchemy_races.py sdk/python/tests/test_django_races.py $(ARGS)

kills: $(STAMPS)/dev
	CAURI_KILLS='$(KILLS)' $(BIN)/python -m pytest -n 2 -rP tests/crashes/test_killed_lines.py $(ARGS)

ci: check test

# Debian keeps ensurepip in a package of its own.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Cauri needs Python 3.11 or later; name one with PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); \
		else \
			echo "a virtual environment cannot be made: install Debian's package python3-venv"; exit 1; \
		fi; }

$(STAMPS)/run: pyproject.toml sdk/python/pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e '.[demo]' -e sdk/python
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: pyproject.toml sdk/python/pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e '.[dev]' -e 'sdk/python[dev]'
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/run

# The browser tests drive the system's Chromium. Without it they are skipped visibly, in CI they fail.
$(STAMPS)/browser: | $(STAMPS)/dev
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core; \
	elif [ -n "$$CI" ]; then echo "Chromium is missing and cannot be installed without root: install Debian's package chromium"; exit 1; \
	else echo "Chromium is missing: the browser tests will be skipped; install Debian's package chromium to run them"; exit 0; fi
	@mkdir -p $(STAMPS); if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then touch $@; fi

clean:
	rm -rf $(VENV) .cache .screenshots .pytest_cache .mypy_cache .ruff_cache
