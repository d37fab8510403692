"""Reads a page of the gateway as a browser without script does: its mark, its words and its forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_Attributes = dict[str, str]


@dataclass
class Form:
    """`fields` is what pressing its button sends; `offers` the values of its lists and radio buttons, with their prefix."""

    name: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    offers: dict[str, dict[str, str]] = field(default_factory=dict)
    approve: dict[str, str] | None = None


@dataclass
class Page:
    """`name` is Cauri's mark of its pages (`data-page`), empty on others. `failed`: the last try, by its code."""

    name: str = ""
    heading: str = ""
    reason: str = ""
    error: str = ""
    failed: bool = False
    operator_link: str = ""
    forms: list[Form] = field(default_factory=list)

    def form(self, name: str) -> Form | None:
        """The form that Cauri calls so (`data-form`)."""
        return next((form for form in self.forms if form.name == name), None)


def read_page(html: str) -> Page:
    """The page in this HTML."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    """Text goes to the field that the last opening tag named, until that tag closes."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._form: Form | None = None
        self._select = ""
        self._hearing: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._mark(tag, given)
        if tag == "form":
            self._form = Form(given.get("data-form", ""), given.get("action", ""))
            self.page.forms.append(self._form)
        elif self._form is not None:
            self._field(self._form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if self._hearing is not None and self._hearing[0] == tag:
            self._hearing = None

    def handle_data(self, data: str) -> None:
        if self._hearing is not None:
            field_name = self._hearing[1]
            words = f"{getattr(self.page, field_name)} {data}"
            setattr(self.page, field_name, " ".join(words.split()))

    def _mark(self, tag: str, given: _Attributes) -> None:
        self.page.name = given.get("data-page", self.page.name)
        self.page.failed |= "data-failed" in given
        if given.get("data-link") == "operator":
            self.page.operator_link = given.get("href", "")
        for mark, field_name in (("data-reason", "reason"), ("data-error", "error")):
            if mark in given:
                self._hearing = (tag, field_name)
        if tag == "h1":
            self._hearing = (tag, "heading")

    def _field(self, form: Form, tag: str, given: _Attributes) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "button":
            if "approve" in (name, value):
                form.approve = {name: value}
        elif tag == "select":
            self._select = name
        elif tag == "option":
            self._offer(form, self._select, given, "selected")
        elif tag == "input" and given.get("type") == "radio":
            self._offer(form, name, given, "checked")
        elif tag == "input" and name:
            form.fields[name] = value

    def _offer(self, form: Form, name: str, given: _Attributes, chosen: str) -> None:
        if "disabled" in given:
            return
        form.offers.setdefault(name, {})[given.get("value", "")] = given.get("data-prefix", "")
        if chosen in given:
            form.fields[name] = given.get("value", "")
