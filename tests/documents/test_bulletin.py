"""Test how sections become sheets: order, scope, sums, missing parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from flask_babel import force_locale
from sqlalchemy import Select, func, literal, select

from app.documents.bulletin import Bulletin, Column, Section, month_of, render, scope_title
from app.models import School
from app.parameters.settings import Settings
from app.parameters.window import Window
from app.security.scope import EVERYTHING, NOTHING, Scope
from tests.builder import CountyBuilder

MONTH = month_of(date(2026, 3, 9))
COLUMNS = (
    Column("school", "学校"),
    Column("pupils", "人数", "count"),
    Column("share", "比例", "percent"),
)


def rows(_window: Window, _settings: Settings) -> Select[Any]:
    return select(
        School.township_id,
        School.id.label("school_id"),
        School.name.label("school"),
        func.length(School.name).label("pupils"),
        literal(0.25).label("share"),
    )


def needs_parameter(_window: Window, settings: Settings) -> Select[Any]:
    return rows(_window, settings).where(School.id > settings.threshold)


def bulletin(*sections: Section) -> Bulletin:
    return Bulletin("of_tests", "通报", "%(month)s通报", sections)


def section(key: str, order: int = 10, **more: Any) -> Section:
    values = {"title": key, "select": rows, "columns": COLUMNS, **more}
    return Section("of_tests", f"of_tests.{key}", order=order, **values)


def made(county: CountyBuilder, what: Bulletin, scope: Scope = EVERYTHING) -> Any:
    """Return the workbook as an English reader gets it: it speaks the product's language."""
    with county.context(), force_locale("en"):
        body = render(county.session, what, MONTH, scope)
        county.session.rollback()
    return openpyxl.load_workbook(BytesIO(body))


def shown(paper: Any) -> list[tuple[Any, ...]]:
    return list(paper.iter_rows(min_row=4, values_only=True))


@pytest.fixture
def schools(county: CountyBuilder) -> list[School]:
    second, first = county.township("乙镇", position=2), county.township("甲镇", position=1)
    return [county.school("乙镇一小", second), county.school("甲镇小", first)]


def test_sheets_stand_in_order_and_rows_follow_the_townships(
    county: CountyBuilder, schools: list[School]
) -> None:
    book = made(county, bulletin(section("late", 20), section("early", 5)))

    assert book.sheetnames == ["early", "late"]
    assert [row[0] for row in shown(book["early"])] == ["甲镇小", "乙镇一小", "合计"]


def test_counts_are_added_up_and_shares_are_not(
    county: CountyBuilder, schools: list[School]
) -> None:
    paper = made(county, bulletin(section("one")))["one"]

    assert shown(paper)[-1] == ("合计", 7, None)
    assert paper["C4"].number_format == "0.0%"


def test_columns_may_be_asked_for_late(county: CountyBuilder, schools: list[School]) -> None:
    late: Callable[[], Any] = lambda: COLUMNS[:2]  # noqa: E731

    paper = made(county, bulletin(section("one", columns=late)))["one"]

    assert shown(paper)[0] == ("甲镇小", 3)


def test_rows_of_a_township_are_added_up(county: CountyBuilder, schools: list[School]) -> None:
    county.school("甲镇二小", schools[1].township)

    paper = made(county, bulletin(section("one", by_township=True)))["one"]

    assert [row[1] for row in shown(paper)] == [7, 4, 11]


def test_scope_narrows_every_sheet(county: CountyBuilder, schools: list[School]) -> None:
    scope = Scope("schools", county.here.id, school_ids=frozenset({schools[0].id}))
    what = bulletin(section("one"), section("two", by_township=True))

    book = made(county, what, scope)

    assert [row[1] for row in shown(book["one"])] == [4, 4]
    assert [row[1] for row in shown(book["two"])] == [4, 4]
    assert [row[1] for row in shown(made(county, what, NOTHING)["one"])] == [0]
    of_a_class = replace(scope, class_ids=frozenset({1}))
    assert [row[1] for row in shown(made(county, what, of_a_class)["one"])] == [0]


def test_section_without_its_parameter_says_so(
    county: CountyBuilder, schools: list[School], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(county.app.extensions["registry"])
    monkeypatch.setattr(kind, "parameter_names", lambda self, plugin: ("threshold",))

    paper = made(county, bulletin(section("one", select=needs_parameter)))["one"]

    assert "没有取值" in str([row[0] for row in shown(paper)])


def test_scope_is_named(county: CountyBuilder, schools: list[School]) -> None:
    many = [county.school(f"丙{number}小").id for number in range(5)]
    of_town = Scope("township", county.here.id, frozenset({schools[0].township_id}))
    of_schools = Scope("schools", county.here.id, school_ids=frozenset(many))

    with county.context(), force_locale("zh"):
        named = [
            scope_title(county.session, scope)
            for scope in (EVERYTHING, of_town, of_schools, NOTHING)
        ]
        county.session.rollback()

    assert named == ["全市", "乙镇", "丙0小、丙1小、丙2小等（另有 2 个）", "无"]
