"""Part 10: the monthly bulletin: figures against own statements, its scope, its workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import time_machine
from flask_babel import force_locale
from sqlalchemy import Select, case, literal, select, text, update

from app import clock
from app.base import registry
from app.documents.bulletin import (
    Column,
    Section,
    file_name,
    find_bulletin,
    month_of,
    parse_month,
    render,
)
from app.models import (
    Change,
    ChecklistVersion,
    Finding,
    FindingStep,
    Inspection,
    InspectionParticipant,
    InspectionState,
    Obligation,
    School,
    Township,
)
from app.security.scope import EVERYTHING, NOTHING, Scope
from tests.builder import CountyBuilder

KEY = "monthly_bulletin"
TOTAL = "合计"
MARCH = month_of(date(2026, 3, 1))
APRIL = month_of(date(2026, 4, 1))


@pytest.fixture(autouse=True)
def in_may() -> Iterator[None]:
    with time_machine.travel("2026-05-20T02:00:00+00:00", tick=False):
        yield


class Month:
    """Two townships with two schools each, and records in and around March."""

    def __init__(self, county: CountyBuilder) -> None:
        self.county = county
        self.towns = [county.township("修仁镇"), county.township("茶城乡", position=1)]
        self.schools = [
            county.school(f"{town.name}{kind}", town)
            for town in self.towns
            for kind in ("中学", "小学")
        ]
        self.version = county.scalar(select(ChecklistVersion.id).limit(1))

    def inspection(self, place: School | Township, type_key: str, day: date, **more: Any) -> Any:
        more.setdefault("state", InspectionState.SUBMITTED)
        return self.county.add(
            Inspection(
                type_key=type_key,
                checklist_version_id=self.version,
                occurred_on=day,
                **more,
                **self.county.scope_of(place),
            )
        )

    def finding(self, inspection: Inspection, *steps: tuple[str, date, date | None]) -> Finding:
        """Store a finding with its timeline: (state, day, due day) each."""
        scope = {
            "county_id": inspection.county_id,
            "township_id": inspection.township_id,
            "school_id": inspection.school_id,
        }
        state, last_on, due_on = steps[-1]
        row = self.county.add(
            Finding(
                inspection_id=inspection.id,
                facts="事实",
                state=state,
                found_on=inspection.occurred_on,
                due_on=due_on,
                closed_on=last_on if state == "closed" else None,
                **scope,
            )
        )
        row.state = "open"
        for reached, day, due in steps:
            self.step(row, "find" if reached == "open" else reached, reached, day, due)
        return row

    def step(
        self, row: Finding, step: str, reached: str, day: date, due: date | None = None
    ) -> None:
        """Let a finding take a step."""
        self.county.add(
            FindingStep(
                finding_id=row.id,
                step=step,
                from_state=row.state,
                to_state=reached,
                happened_on=day,
                happened_at=clock.now(),
                due_on=due,
                county_id=row.county_id,
                township_id=row.township_id,
                school_id=row.school_id,
            )
        )
        row.state = reached
        self.county.session.commit()


@pytest.fixture
def month(county: CountyBuilder) -> Month:
    made = Month(county)
    first, second, third, _fourth = made.schools
    february = made.inspection(first, "township_visit", date(2026, 2, 26))
    march = made.inspection(first, "township_visit", date(2026, 3, 2))
    made.inspection(first, "leader_visit", date(2026, 3, 31))
    made.inspection(second, "daily_check", date(2026, 3, 16))
    made.inspection(second, "gone_type", date(2026, 3, 17))
    made.inspection(second, "daily_check", date(2026, 3, 18), state=InspectionState.DRAFT)
    made.inspection(third, "leader_visit", date(2026, 4, 1))
    township = made.inspection(made.towns[1], "leader_visit", date(2026, 3, 20))
    due = date(2026, 3, 27)
    made.finding(
        february,
        ("open", date(2026, 2, 26), None),
        ("served", date(2026, 2, 27), date(2026, 3, 20)),
        ("claimed", date(2026, 3, 12), date(2026, 3, 20)),
        ("closed", date(2026, 3, 18), date(2026, 3, 20)),
    )
    made.finding(march, ("open", date(2026, 3, 2), None), ("served", date(2026, 3, 4), due))
    made.finding(
        march,
        ("open", date(2026, 3, 2), None),
        ("served", date(2026, 3, 4), due),
        ("closed", date(2026, 4, 2), due),
    )
    made.finding(
        march,
        ("open", date(2026, 3, 2), None),
        ("served", date(2026, 3, 4), due),
        ("objected", date(2026, 3, 9), due),
    )
    made.finding(march, ("open", date(2026, 3, 2), None), ("withdrawn", date(2026, 3, 3), None))
    made.finding(
        township,
        ("open", date(2026, 3, 20), None),
        ("served", date(2026, 3, 31), date(2026, 4, 21)),
    )
    return made


def made_by(county: CountyBuilder, scope: Scope = EVERYTHING, period: Any = MARCH) -> Any:
    with county.context(), force_locale("zh"):
        bulletin = find_bulletin(KEY)
        body = render(county.session, bulletin, period, scope)
        county.session.rollback()
    return openpyxl.load_workbook(BytesIO(body))


def table(book: Any, name: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a sheet by the name of their place."""
    rows = list(book[name].iter_rows(min_row=4, values_only=True))
    heads, place = rows[0], 1 if name == "分学校" else 0
    found = {}
    for row in rows[1:]:
        label = row[0] if row[0] == TOTAL else row[place]
        if label is not None:
            found[str(label)] = dict(zip(heads, row, strict=True))
    return found


FIGURES = ("合计", "本月新增", "本月销号", "月末未销号", "其中有异议", "其中逾期未整改")


def figures(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in FIGURES)


def test_figures_by_school_are_true(month: Month) -> None:
    rows = table(made_by(month.county), "分学校")

    assert figures(rows["修仁镇中学"]) == (2, 3, 1, 3, 1, 2)
    assert figures(rows["修仁镇小学"]) == (2, 0, 0, 0, 0, 0)
    assert figures(rows["茶城乡中学"]) == (0, 0, 0, 0, 0, 0)
    assert figures(rows["茶城乡小学"]) == (0, 0, 0, 0, 0, 0)
    assert figures(rows["乡镇本级"]) == (1, 1, 0, 1, 0, 0)
    assert rows["修仁镇小学"]["其他类型"] == 1
    assert rows["修仁镇小学"]["校级领导每日督导"] == 1


def test_figures_by_township_add_up(month: Month) -> None:
    rows = table(made_by(month.county), "分乡镇")

    assert figures(rows["修仁镇"]) == (4, 3, 1, 3, 1, 2)
    assert figures(rows["茶城乡"]) == (1, 1, 0, 1, 0, 0)
    assert figures(rows[TOTAL]) == (5, 4, 1, 4, 1, 2)


def test_figures_equal_those_of_plain_statements(month: Month) -> None:
    """Recount with statements that share nothing with the plugin."""
    county = month.county
    plain = {
        "合计": "SELECT count(*) FROM inspection WHERE state = 'submitted'"
        " AND occurred_on BETWEEN :first AND :last",
        "本月新增": "SELECT count(*) FROM finding f WHERE found_on BETWEEN :first AND :last"
        " AND NOT EXISTS (SELECT 1 FROM finding_step s WHERE s.finding_id = f.id"
        " AND s.to_state = 'withdrawn' AND s.happened_on <= :last)",
        "本月销号": "SELECT count(*) FROM finding_step WHERE happened_on BETWEEN :first AND :last"
        " AND to_state = 'closed' AND from_state <> 'closed'",
        "其中逾期未整改": "SELECT count(*) FROM finding f JOIN finding_step s ON s.id ="
        " (SELECT max(id) FROM finding_step WHERE finding_id = f.id AND happened_on <= :last)"
        " WHERE s.to_state = 'served' AND s.due_on < :last",
    }
    total = table(made_by(county), "分乡镇")[TOTAL]

    for name, statement in plain.items():
        days = {"first": MARCH.start, "last": MARCH.end}
        bound = text(statement).bindparams(
            **{key: day for key, day in days.items() if f":{key}" in statement}
        )
        assert total[name] == county.scalar(bound), name


def test_what_opens_again_leaves_a_past_month_as_it_was(month: Month) -> None:
    closed = month.county.scalar(select(Finding).where(Finding.state == "closed").limit(1))
    before = figures(table(made_by(month.county), "分乡镇")[TOTAL])

    month.step(closed, "confirm", "closed", date(2026, 3, 25))
    confirmed = figures(table(made_by(month.county), "分乡镇")[TOTAL])
    month.step(closed, "recall", "served", date(2026, 4, 8))
    closed.closed_on = None
    month.county.session.commit()
    march = figures(table(made_by(month.county), "分乡镇")[TOTAL])
    april = figures(table(made_by(month.county, period=APRIL), "分乡镇")[TOTAL])
    month.step(closed, "close", "closed", date(2026, 4, 9))
    again = figures(table(made_by(month.county, period=APRIL), "分乡镇")[TOTAL])

    assert before == confirmed == march
    assert (april[2], again[2]) == (1, 2)
    assert again[3] == april[3] - 1


def test_reader_gets_the_rows_of_his_scope(month: Month) -> None:
    town, school = month.towns[1], month.schools[0]
    of_town = Scope("township", month.county.here.id, frozenset({town.id}))
    of_school = Scope("schools", month.county.here.id, school_ids=frozenset({school.id}))

    by_town = table(made_by(month.county, of_town), "分学校")
    by_school = made_by(month.county, of_school)

    assert set(by_town) == {"茶城乡中学", "茶城乡小学", "乡镇本级", TOTAL}
    assert set(table(by_school, "分学校")) == {school.name, TOTAL}
    assert figures(table(by_school, "分乡镇")["修仁镇"]) == (2, 3, 1, 3, 1, 2)
    assert school.name in by_school["分学校"]["A2"].value
    assert "全市" in made_by(month.county)["分学校"]["A2"].value
    assert set(table(made_by(month.county, NOTHING), "分学校")) == {TOTAL}


def test_months_without_school_days_still_get_one(month: Month) -> None:
    rows = table(made_by(month.county, period=month_of(date(2026, 2, 1))), "分学校")
    empty = table(made_by(month.county, period=month_of(date(2025, 8, 1))), "分乡镇")

    assert figures(rows["修仁镇中学"]) == (1, 1, 0, 1, 0, 0)
    assert figures(empty[TOTAL]) == (0, 0, 0, 0, 0, 0)


def test_what_is_due_is_reported_with_what_is_excused(month: Month) -> None:
    """One visit in time and joint, one missed, one excused; what ends in April is not of March."""
    county, school = month.county, month.schools[0]
    for start, excused in ((2, False), (9, True), (16, False), (30, False)):
        county.add(
            Obligation(
                type_key="township_visit", capacity="township_leader",
                period_start=date(2026, 3, start),
                period_end=date(2026, 3, start) + timedelta(days=6),
                due_on=date(2026, 3, start) + timedelta(days=4),
                excused_at=clock.now() if excused else None,
                **county.scope_of(school),
            )
        )  # fmt: skip
    leader = county.person(place=month.towns[0])
    county.appointment(leader, "township_leader", township=month.towns[0])
    at = datetime(2026, 3, 3, 4, tzinfo=UTC)
    visit = month.inspection(
        school, "township_visit", date(2026, 3, 3), submitted_at=at, confirmed_at=at
    )
    for person, capacity in ((leader, "township_leader"), (county.person(), "liaison_leader")):
        county.add(
            InspectionParticipant(
                inspection_id=visit.id, person_id=person.id, capacity=capacity,
                **county.scope_of(school),
            )
        )  # fmt: skip

    book = made_by(county)

    # The running month is today's: what was excused only in May counts as missed in March.
    assert due_rows(book["督导任务分乡镇"]) == [
        ("修仁镇", "乡镇领导督导", 3, 1, 0, 2, 0, 0, 0.33, 1)
    ]
    assert due_rows(book["督导任务分学校"]) == [
        ("修仁镇", school.name, "乡镇领导督导", 3, 1, 0, 2, 0, 0, 0.33, 1)
    ]
    county.execute(
        update(Obligation).values(excused_at=case((Obligation.excused_at.is_not(None), at)))
    )
    excused = due_rows(made_by(county)["督导任务分乡镇"])
    assert excused == [("修仁镇", "乡镇领导督导", 3, 1, 0, 1, 0, 1, 0.5, 1)]


def due_rows(sheet: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a sheet of what is due, without its heads and its total."""
    rows = [row for row in sheet.iter_rows(min_row=5, values_only=True) if row[0] != TOTAL]
    return [
        tuple(round(cell, 2) if isinstance(cell, float) else cell for cell in row) for row in rows
    ]


def test_workbook_is_titled_and_set_up_for_print(month: Month) -> None:
    book = made_by(month.county)

    paper = book["分乡镇"]
    merged = {str(cells) for cells in paper.merged_cells.ranges}
    with month.county.context():
        added = [str(section.title) for section in registry.sections("monthly_bulletin")]
    own = ["分乡镇", "分学校", "督导任务分乡镇", "督导任务分学校"]
    assert book.sheetnames == [*own, *added]
    assert "2026年3月" in paper["A1"].value
    assert "通报" in paper["A1"].value
    assert paper.freeze_panes == "B5"
    assert book["分学校"].freeze_panes == "C5"
    assert paper.print_title_rows == "$3:$4"
    assert paper.page_setup.orientation == "landscape"
    assert any(cells.startswith("B3:") for cells in merged)
    assert paper["B5"].number_format == "#,##0"
    assert book.properties.creator in {None, ""}


def test_running_month_ends_today(month: Month) -> None:
    book = made_by(month.county, period=month_of(date(2026, 5, 1)))

    assert "2026-05-20" in book["分乡镇"]["A2"].value


def test_sections_of_other_plugins_appear_narrowed(
    month: Month, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(window: Any, settings: Any) -> Select[Any]:
        return select(
            School.township_id,
            School.id.label("school_id"),
            School.name.label("school"),
            literal("=1+1").label("remark"),
        )

    section = Section(
        KEY,
        "bus_check.buses",
        "校车",
        30,
        rows,
        (Column("school", "学校"), Column("remark", "备注")),
    )
    monkeypatch.setattr(
        type(month.county.app.extensions["registry"]),
        "sections",
        lambda self, bulletin: (section,) if bulletin == KEY else (),
    )
    town = month.towns[0]

    paper = made_by(month.county, Scope("township", month.county.here.id, frozenset({town.id})))[
        "校车"
    ]

    values = [row[:2] for row in paper.iter_rows(min_row=4, values_only=True)]
    assert values == [("修仁镇中学", "=1+1"), ("修仁镇小学", "=1+1")]
    assert paper["B4"].data_type == "s"


def test_reader_downloads_his_scope_and_the_export_is_recorded(
    month: Month, login: Callable[..., Any]
) -> None:
    visitor = login("township_leader", township=month.towns[0])

    answer = visitor.get("/bulletin/download/monthly_bulletin?month=2026-03")

    book = openpyxl.load_workbook(BytesIO(answer.get_data()))
    assert set(table(book, "分乡镇")) == {"修仁镇", TOTAL}
    kept = month.county.all(select(Change).where(Change.action == "export"))
    assert ["monthly_bulletin 2026-03" in one.note for one in kept] == [True]


@pytest.mark.parametrize(
    ("typed", "told"), [("2026-13", "2026-03"), ("", "2026-03"), ("2027-01", "尚未")]
)
def test_impossible_month_comes_back_with_a_message(
    login: Callable[..., Any], county: CountyBuilder, typed: str, told: str
) -> None:
    visitor = login("task_group")

    page = visitor.soup(f"/bulletin/download/monthly_bulletin?month={typed}")

    assert page.select_one("input[name=month]")["value"] == typed
    assert told in page.select_one(".field-error").get_text()


def test_unknown_bulletin_is_not_found(login: Callable[..., Any]) -> None:
    assert login("task_group").get("/bulletin/download/nothing?month=2026-03").status_code == 404


def test_page_offers_last_month(login: Callable[..., Any], county: CountyBuilder) -> None:
    page = login("school_leader", school=county.a_school).soup("/bulletin/")

    assert page.select_one("input[name=month]")["value"] == "2026-04"
    assert county.a_school.name in page.get_text()


def test_command_writes_the_workbook(month: Month, tmp_path: Path) -> None:
    runner = month.county.app.test_cli_runner()

    made = runner.invoke(
        args=["bulletin", "make", KEY, "--period", "2026-03", "--out", str(tmp_path / "out")]
    )

    assert made.exit_code == 0, made.output
    book = openpyxl.load_workbook(tmp_path / "out" / "monthly_bulletin-2026-03.xlsx")
    assert figures(table(book, "分乡镇")[TOTAL]) == (5, 4, 1, 4, 1, 2)
    kept = month.county.all(select(Change).where(Change.action == "export"))
    assert len(kept) == 1


@pytest.mark.parametrize("arguments", [["nothing", "--period", "2026-03"], [KEY, "--period", "x"]])
def test_command_says_what_is_wrong(county: CountyBuilder, arguments: list[str]) -> None:
    made = county.app.test_cli_runner().invoke(args=["bulletin", "make", *arguments])

    assert made.exit_code == 2


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("2026-03", "2026-03"),
        (" 2026-12 ", "2026-12"),
        ("2026-00", None),
        ("0000-01", None),
        ("2026-3", None),
        ("２０２６-03", None),
        ("2026/03", None),
        ("", None),
    ],
)
def test_month_is_read_as_written(typed: str, key: str | None) -> None:
    month = parse_month(typed)

    assert (month.key if month else None) == key


def test_file_is_named_by_key_and_month(county: CountyBuilder) -> None:
    with county.context():
        assert file_name(find_bulletin(KEY), MARCH) == "monthly_bulletin-2026-03.xlsx"
