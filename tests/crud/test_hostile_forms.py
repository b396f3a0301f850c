"""Bad input: each form of the product takes the worst that can be typed, and comes back with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from bs4 import Tag
from flask import Flask
from werkzeug.test import TestResponse

from tests.builder import CountyBuilder
from tests.conftest import Login
from tests.security.planting import Planter
from tests.security.test_matrix import OWN, kind_of, paths, rules, view_of, visitor_of
from tests.visitor import Visitor, form_values, read

FORMS = "main form[method=post]"
HOSTILE = (
    "2026-02-30",
    "a\x00b",
    "9" * 30,
    "-1",
    "长" * 6000,
    "0001-01-01",
    "NaN",
    "'; DROP TABLE school; --",
    "1e999",
    "٣",
    "9999-12-31",
)
HELD = frozenset({"csrf_token", "submit_token", "row_version"})
"""Fields that a person does not fill."""
TYPED = frozenset({"", "text", "date", "number", "tel", "datetime-local"})
REFUSED = ".error-summary, .field-error"
INCIDENT = "事件编号"
FEWEST = {"Admin": 45, "liaison_department": 8, "school_leader": 15, "township_clerk": 8}
"""How many forms a role is offered at least: a walk that finds none shows nothing."""
LEFT = frozenset({"SignInView.logout", "SignInView.login"})


def fields(form: Tag) -> dict[str, Tag]:
    """Return the fields of a form that a person fills, by name."""
    found = form.select("input[name], textarea[name], select[name]")
    idle = {"submit", "button", "file"}
    return {
        str(field["name"]): field
        for field in found
        if field["name"] not in HELD and field.get("type") not in idle
    }


def addresses(app: Flask, planted: dict[str, list[int]]) -> Iterator[str]:
    """Yield every page that can be opened, of the own rows where it is about a row."""
    for rule in rules(app):
        view, _method = view_of(app, rule)
        if rule.endpoint in LEFT or "GET" not in (rule.methods or ()):
            continue
        name = kind_of(view) if hasattr(view, "datamodel") else ""
        yield from (path for path, _row in paths(app, rule, planted.get(name, [1])[:1]))


def lost(sent: dict[str, str], form: Tag, answer: TestResponse) -> list[str]:
    """Return the texts that were typed and that the page which came back does not hold."""
    shown: dict[str, Any] = {}
    for back in read(answer).select(FORMS):
        shown |= form_values(back)
    return [
        name
        for name, field in fields(form).items()
        if (field.name == "textarea" or (field.name == "input" and field.get("type", "") in TYPED))
        and plain(sent[name]) not in plain(str(shown.get(name, "")))
    ]


def plain(text: str) -> str:
    """Return a text as it can be stored: some fields leave the NUL out, others refuse it."""
    return text.replace("\x00", "")


def sent_forms(
    visitor: Visitor, path: str, start: int
) -> Iterator[tuple[dict[str, str], Any, Any]]:
    """Send each form of a page with something hostile in every field."""
    page = visitor.get(path)
    is_page = page.status_code == 200 and page.mimetype == "text/html"
    for form in read(page).select(FORMS) if is_page else ():
        sent = dict(zip(fields(form), islice(cycle(HOSTILE), start, None), strict=False))
        if sent:
            yield sent, form, visitor.send(form, path, sent, follow_redirects=False)


# The administrator is offered every form, a school leader those that depend on the person most.
@pytest.mark.parametrize(
    "key",
    [
        "Admin",
        "school_leader",
        pytest.param("liaison_department", marks=pytest.mark.long),
        pytest.param("township_clerk", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize(
    "start", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, len(HOSTILE)))]
)
def test_forms_take_the_worst_and_keep_what_was_typed(
    app: Flask, county: CountyBuilder, login: Login, admin: Visitor, key: str, start: int
) -> None:
    planted = Planter(app, county.a_school, OWN).plant()
    visitor = admin if key == "Admin" else visitor_of(key, county, login)
    seen = 0

    for path in addresses(app, planted):
        for sent, form, answer in sent_forms(visitor, path, start):
            seen += 1
            assert answer.status_code in {200, 302}, path
            if answer.mimetype != "text/html":  # a workbook to take away
                continue
            assert INCIDENT not in answer.get_data(as_text=True), path
            assert not read(answer).select(REFUSED) or lost(sent, form, answer) == [], path

    assert seen >= FEWEST[key]
