"""A test client that reads pages as a person does: it fills the form that the page shows."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class Visitor(FlaskClient):
    """Open pages, fill their forms and send them, hidden fields included."""

    def soup(self, url: str) -> BeautifulSoup:
        """Return the page as a tree; redirects are followed."""
        return read(self.get(url, follow_redirects=True))

    def submit(
        self,
        url: str,
        data: dict[str, Any] | None = None,
        *,
        select: str = "main form[method=post]",
        press: str | None = None,
        follow_redirects: bool = True,
    ) -> TestResponse:
        """Open a page, fill its form with the data and send it.

        A value of None empties the field's place: it is not sent. `press` names the button.
        """
        page = self.get(url, follow_redirects=True)
        assert page.status_code == 200, f"{url} answered {page.status_code}"
        found = read(page).select(select)
        assert found, f"{url} has no form {select}"
        return self.send(found[0], url, data, press=press, follow_redirects=follow_redirects)

    def send(
        self,
        form: Tag,
        url: str,
        data: dict[str, Any] | None = None,
        *,
        press: str | None = None,
        follow_redirects: bool = True,
    ) -> TestResponse:
        """Send a form that was read from a page, with the data filled in."""
        values = {**form_values(form), **(data or {})}
        if press:
            button = form.select_one(f'[name="{press}"], [value="{press}"]')
            assert button is not None, f"no button {press}"
            values[str(button.get("name") or press)] = str(button.get("value") or "")
        values = {name: value for name, value in values.items() if value is not None}
        action = str(form.get("action") or url)
        return self.post(
            action,
            data=values,
            content_type="multipart/form-data",
            follow_redirects=follow_redirects,
        )

    def token(self) -> str:
        """Return a CSRF token of this session."""
        page = self.soup("/")
        held = page.select_one("meta[name=csrf-token]")
        if held is not None:
            return str(held["content"])
        field = page.select_one("input[name=csrf_token]")
        assert field is not None, "the page holds no CSRF token"
        return str(field["value"])

    def post_with_token(
        self, url: str, data: dict[str, Any] | None = None, **kwargs: Any
    ) -> TestResponse:
        """Post without a form, as a page's script does."""
        return self.post(url, data={"csrf_token": self.token(), **(data or {})}, **kwargs)


def read(response: TestResponse) -> BeautifulSoup:
    """Return the answer as a tree."""
    return BeautifulSoup(response.get_data(as_text=True), "html.parser")


def text_of(response: TestResponse) -> str:
    """Return everything that an answer says, a workbook's cells and a file's name included."""
    body, heads = response.get_data(), str(response.headers)
    if zipfile.is_zipfile(BytesIO(body)):
        with zipfile.ZipFile(BytesIO(body)) as packed:
            body = b"\n".join(packed.read(name) for name in packed.namelist())
    return heads + unquote(heads) + body.decode(errors="replace")


def form_values(form: Tag) -> dict[str, Any]:
    """Return what the form would send untouched."""
    values: dict[str, Any] = {}

    def put(name: str, value: str) -> None:
        values.setdefault(name, [])
        values[name].append(value)

    for field in form.select("input[name], textarea[name], select[name]"):
        name, kind = str(field["name"]), str(field.get("type", "")).lower()
        if field.has_attr("disabled") or kind in {"submit", "button", "file", "reset"}:
            continue
        if field.name == "select":
            for option in field.select("option[selected]"):
                put(name, str(option.get("value", option.get_text())))
        elif kind in {"checkbox", "radio"}:
            if field.has_attr("checked"):
                put(name, str(field.get("value", "on")))
        else:
            put(name, field.get_text() if field.name == "textarea" else str(field.get("value", "")))
    return {name: held if len(held) > 1 else held[0] for name, held in values.items()}
