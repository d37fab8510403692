"""Reads a page as a browser without script does: its words, its links and its forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "noscript", "title"})
_APPROVING = frozenset({"approve", "confirm", "pay"})
_VOID = frozenset({"input", "br", "img", "meta", "link", "hr"})


@dataclass
class Choice:
    """One radio button or one entry of a list."""

    value: str
    text: str = ""
    prefix: str = ""
    disabled: bool = False


@dataclass
class Form:
    """``fields`` is what would be sent; ``choices`` what its radio buttons and lists offer; ``buttons`` name and value.

    ``asks`` says of fields what they ask for, in the words of HTML's ``autocomplete``.
    """

    action: str
    method: str
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[Choice]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    asks: dict[str, str] = field(default_factory=dict)

    def approves(self) -> dict[str, str] | None:
        """What pressing its approve button adds, None where it has no such button."""
        for name, value in self.buttons:
            if _APPROVING & {name, value}:
                return {name: value} if name else {}
        return None

    def filled(self, answers: Mapping[str, str]) -> dict[str, str]:
        """What would be sent by a payer who has these answers; what the page has filled in already stays."""
        return self.fields | {
            name: answers[asked]
            for name, asked in self.asks.items()
            if asked in answers and not self.fields[name]
        }


@dataclass
class PageRead:
    """``name`` is the page's own mark (``data-page``), empty on pages that are not Cauri's.

    ``watch`` is where a page that waits asks whether the payment has changed since ``seen``, the version that it shows.
    """

    name: str = ""
    text: str = ""
    heading: str = ""
    reason: str = ""
    error: str = ""
    failed: bool = False
    operator_link: str = ""
    watch: str = ""
    seen: str = ""
    forms: list[Form] = field(default_factory=list)

    def form(self, name: str) -> Form | None:
        return next((form for form in self.forms if form.name == name), None)


def read_page(html: str) -> PageRead:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    page = reader.page
    page.text, page.heading, page.reason, page.error = (
        " ".join("".join(words).split())
        for words in (reader.main_words, reader.heading_words, reader.reason_words, reader.error_words)
    )
    return page


class _Reader(HTMLParser):
    """Keeps the open elements, and puts each piece of text where those say it belongs."""

    def __init__(self) -> None:
        super().__init__()
        self.page = PageRead()
        self.main_words: list[str] = []
        self.heading_words: list[str] = []
        self.reason_words: list[str] = []
        self.error_words: list[str] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._choice: Choice | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            self._open.append((tag, given))
        self._mark(tag, given)
        if tag == "form":
            self._form = Form(
                given.get("action", ""), given.get("method", "get").lower(), given.get("data-form", "")
            )
            self.page.forms.append(self._form)
        elif self._form is not None:
            self._field(self._form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        while self._open and any(name == tag for name, _ in self._open):
            if self._open.pop()[0] == tag:
                break
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag in ("label", "option"):
            self._choice = None

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self._open}
        if tags & _SILENT:
            return
        if "main" in tags:
            self.main_words.append(data)
        if "h1" in tags:
            self.heading_words.append(data)
        if self._inside("data-reason"):
            self.reason_words.append(data)
        if self._inside("data-error"):
            self.error_words.append(data)
        if self._choice is not None:
            self._choice.text = f"{self._choice.text} {data}".strip()

    def _inside(self, mark: str) -> bool:
        return any(mark in given for _, given in self._open)

    def _mark(self, tag: str, given: dict[str, str]) -> None:
        if "data-page" in given:
            self.page.name = given["data-page"]
            self.page.watch, self.page.seen = given.get("data-watch", ""), given.get("data-seen", "")
        if "data-failed" in given:
            self.page.failed = True
        if tag == "a" and given.get("data-link") == "operator":
            self.page.operator_link = given.get("href", "")
        if tag in ("p", "li", "div", "dt", "dd", "h1", "label", "button", "option"):
            self.main_words.append(" ")

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        kind = given.get("type", "submit" if tag == "button" else "text")
        if tag == "button" and kind == "submit":
            form.buttons.append((name, value))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select is not None:
            self._offer(form, self._select, given, "selected")
        elif tag == "input" and kind == "radio":
            self._offer(form, name, given, "checked")
        elif tag == "input" and kind == "submit":
            form.buttons.append((name, value))
        elif tag == "input" and name:
            form.fields[name] = value
            form.asks[name] = given.get("autocomplete", "")

    def _offer(self, form: Form, name: str, given: dict[str, str], mark: str) -> None:
        self._choice = Choice(given.get("value", ""), "", given.get("data-prefix", ""), "disabled" in given)
        form.choices.setdefault(name, []).append(self._choice)
        if mark in given and not self._choice.disabled:
            form.fields[name] = self._choice.value
