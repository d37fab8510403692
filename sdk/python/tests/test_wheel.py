"""The wheel, built and installed alone: nothing of the source tree and of the frameworks is there, and its tests pass.

It takes some 20 s; `-k "not wheel"` leaves it out.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

pytest.importorskip("pip")
requirements = pytest.importorskip("packaging.requirements")
TESTS = Path(__file__).parent
PROJECT = TESTS.parent
pytestmark = pytest.mark.skipif(
    not (PROJECT / "pyproject.toml").exists(), reason="these tests are not in a source tree"
)

# What a user without any framework has, and runs in a few seconds.
BASIC = ["test_sdk_surface.py", "test_sdk_start.py", "test_sdk_check.py", "test_sdk_notification.py", "test_book_decide.py",
         "test_book_async.py", "sample_shop/test_shop.py"]  # fmt: skip
# Searches for odd values say nothing of the packaging, and take the longest.
NOT_SEARCHES = "not random and not any_value"
SUPPORT = ["conftest.py", "memory_store.py", "sample_shop"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from the source."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--disable-pip-version-check",
        "-w",
        str(folder),
    ]
    if importlib.util.find_spec("hatchling"):
        command += ["--no-build-isolation", "--no-index"]
    built = run([*command, str(PROJECT)], folder)
    if built.returncode and not importlib.util.find_spec("hatchling") and not os.environ.get("CI"):
        pytest.skip(f"pip cannot fetch hatchling to build with; install it: {built.stderr[-300:]}")
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("cauri_shop-*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """A Python of a fresh environment: the wheel, httpx, pytest, hypothesis and what these need, and nothing else."""
    home = tmp_path_factory.mktemp("alone") / "venv"
    assert run([sys.executable, "-m", "venv", "--without-pip", str(home)], home.parent).returncode == 0
    found = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    told = run([str(found), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], home)
    for name in needed(["httpx", "pytest", "hypothesis"]):
        place(metadata.distribution(name), Path(told.stdout.strip()))
    install = [
        "-m",
        "pip",
        "--python",
        str(found),
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--disable-pip-version-check",
    ]
    installed = run([sys.executable, *install, str(wheel)], home)
    assert installed.returncode == 0, installed.stderr
    return found


def needed(names):
    """The distributions that these need here, themselves included, by their own metadata."""
    found, ahead = set(), list(names)
    while ahead:
        name = ahead.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        for text in metadata.requires(name) or []:
            requirement = requirements.Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                ahead.append(requirement.name)
    return sorted(found)


def place(distribution, folder):
    """Puts a distribution's files into this folder, without an index and without a build."""
    for file in distribution.files or []:
        if ".." not in file.parts and file.suffix != ".pyc":
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)


def run(command, folder, **environment):
    # No PYTHONPATH: nothing but what is installed can be imported.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    return subprocess.run(
        command,
        cwd=folder,
        env={**kept, **environment},
        text=True,
        capture_output=True,
        timeout=110,
        check=False,
    )


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read(
            next(name for name in names if name.endswith("entry_points.txt"))
        ).decode()
    source = PROJECT / "src"
    wanted = {path.relative_to(source).as_posix() for path in source.rglob("*")
              if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
    assert {name for name in names if ".dist-info/" not in name} == wanted
    assert "cauri_shop/py.typed" in names
    assert "pytest-cauri = cauri_shop.pytest_plugin" in entry_points


def test_its_core_needs_httpx_alone(wheel, python):
    program = """
import importlib.metadata, pathlib, sys, cauri_shop, cauri_shop.book, cauri_shop.testing, cauri_shop.__main__
assert pathlib.Path(cauri_shop.__file__).is_relative_to(sys.prefix), cauri_shop.__file__
core = [text for text in importlib.metadata.requires("cauri-shop") if "extra" not in text]
assert [text[:5] for text in core] == ["httpx"], core
print(cauri_shop.__version__)
"""
    told = run([str(python), "-I", "-c", program], python.parent)
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == metadata.version("cauri-shop")


def test_its_tests_pass_against_it(python, tmp_path):
    for name in [*BASIC, *SUPPORT]:
        source, target = TESTS / name, tmp_path / name
        target.parent.mkdir(exist_ok=True)
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, target, **({"dirs_exist_ok": True} if source.is_dir() else {}))
    # Plain asserts: pytest rewrites the modules of a distribution that brings a plugin, and the surface test sees its marks.
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers -p no:cacheprovider --assert=plain\n"
    )
    # The shop's own tests pay in a sandbox, which runs under this Python: the fresh one has no cauri.
    told = run(
        [str(python), "-I", "-m", "pytest", "-q", "-rs", "-k", NOT_SEARCHES, *BASIC],
        tmp_path,
        CAURI_PYTHON=sys.executable,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "passed" in told.stdout
    assert "skipped" not in told.stdout, told.stdout
