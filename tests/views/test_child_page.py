"""One page per child: what is known, what is due, what is hidden, and the paper made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.crud.panel import Due, Panel, PanelContent, PanelRow
from app.host.loader import host_of
from app.models import (
    Absence,
    Answer,
    AnswerChild,
    Change,
    ChecklistItem,
    ChecklistVersion,
    Child,
    ChildStatus,
    Code,
    Enrolment,
    EvidenceFile,
    EvidenceSet,
    Finding,
    Guardian,
    Inspection,
    StatusEvent,
    Verdict,
    Violation,
    Visit,
    VisitParticipant,
)
from tests.conftest import CountyBuilder, Login, Visitor
from tests.crud.conftest import recorded

NOON = "2026-03-10T04:00:00+00:00"
ID_NUMBER = "000000201203150019"
PHONE = "13800001234"
MOST_STATEMENTS = 20


@pytest.fixture(autouse=True)
def march() -> Iterator[None]:
    """Stop the clock on a day of school."""
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def child(county: CountyBuilder) -> int:
    """Return the key of a child with a record of every kind."""
    seat = county.school_class()
    seat_id, place = seat.id, county.scope_of(county.a_school)
    made = county.child("莫小明", school_class=seat, id_number=ID_NUMBER, born_on=date(2012, 3, 15))
    key = made.id
    of_child: dict[str, Any] = {"child_id": key, **place}
    father = county.scalar(select(Code.id).filter_by(domain="guardian_relation").limit(1))
    county.add(Guardian(name="莫大", phone=PHONE, relation_id=father, **of_child))
    county.add(Enrolment(class_id=seat_id, valid_from=date(2025, 9, 1), **of_child))
    suspected = county.scalar(select(ChildStatus.id).filter_by(key="suspected"))
    county.add(
        StatusEvent(
            status_id=suspected,
            happened_on=date(2026, 3, 2),
            basis="连续三天未到校",
            evidence_set_id=a_file(county, "情况说明.pdf"),
            **of_child,
        )
    )
    add_visits(county, of_child)
    county.add(
        Absence(
            class_id=seat_id,
            day=date(2026, 3, 2),
            kind="unexplained",
            evidence_set_id=a_file(county, "通话记录.png"),
            **of_child,
        )
    )
    county.add(Absence(class_id=seat_id, day=date(2025, 6, 2), kind="sick_leave", **of_child))
    add_findings(county, key, place)
    return key


def a_file(county: CountyBuilder, name: str) -> int:
    """Return the key of a set with one file."""
    place = county.scope_of(county.a_school)
    held = county.add(EvidenceSet(is_staged=False, **place))
    county.add(
        EvidenceFile(
            evidence_set_id=held.id,
            name=name,
            media_type="image/png",
            size=1,
            original_sha256="0" * 64,
            stored_sha256="0" * 64,
            **place,
        )
    )
    return held.id


def add_visits(county: CountyBuilder, of_child: dict[str, Any]) -> None:
    kind = county.scalar(select(Code.id).filter_by(domain="organisation_kind").limit(1))
    for day, next_on in ((date(2026, 2, 28), date(2026, 3, 1)), (date(2026, 3, 5), None)):
        row = Visit(kind="persuasion", visited_on=day, next_on=next_on, met_child=True, **of_child)
        row.next_step = "上门劝返"
        row.evidence_set_id = a_file(county, f"劝返{day.day}.jpg")
        place = {name: value for name, value in of_child.items() if name != "child_id"}
        row.participants = [
            VisitParticipant(name=name, organisation_kind_id=kind, **place)
            for name in ("韦所长", "覃主任")
        ]
        county.add(row)


def add_findings(county: CountyBuilder, child_id: int, place: dict[str, Any]) -> None:
    version = county.scalar(select(ChecklistVersion.id).limit(1))
    item = county.scalar(select(ChecklistItem.id).filter_by(version_id=version).limit(1))
    visit = county.add(
        Inspection(
            occurred_on=date(2026, 3, 3), type_key="x", checklist_version_id=version, **place
        )
    )
    answer = county.add(
        Answer(inspection_id=visit.id, item_id=item, verdict=Verdict.FAILS, **place)
    )
    county.add(
        AnswerChild(
            answer_id=answer.id,
            child_id=child_id,
            verdict=Verdict.FAILS,
            evidence_set_id=a_file(county, "认定表.pdf"),
            **place,
        )
    )
    facts = {"inspection_id": visit.id, "found_on": date(2026, 3, 3), "state": "served", **place}
    county.add(Finding(answer_id=answer.id, facts="缺认定表", due_on=date(2026, 3, 9), **facts))
    county.add(Finding(child_id=child_id, facts="未报告", due_on=date(2026, 3, 20), **facts))
    county.add(Finding(facts="桌椅不足", due_on=date(2026, 3, 20), **facts))
    for key, resolved in (("open", None), ("past", date(2026, 3, 4))):
        county.add(
            Violation(
                rule_key=f"x.{key}",
                code=f"ABS-{key}",
                severity="violation",
                subject_type="child",
                subject_id=child_id,
                period_start=date(2026, 3, 2),
                first_seen=date(2026, 3, 2),
                resolved_on=resolved,
                **place,
            )
        )


@pytest.fixture
def clerk(login: Login, county: CountyBuilder) -> Visitor:
    """Return the clerk of the child's school."""
    return login("school_clerk", school=county.a_school)


def texts(soup: Any, selector: str) -> list[str]:
    return [part.get_text(" ", strip=True) for part in soup.select(selector)]


def url(child: int, page: str = "show") -> str:
    return f"/childview/{page}/{child}"


def test_page_gathers_every_record_of_the_child_and_what_is_due(
    clerk: Visitor, child: int, county: CountyBuilder
) -> None:
    visit = county.scalar(select(Visit).filter_by(visited_on=date(2026, 3, 5)))
    visit.next_on = date(2026, 3, 10)
    county.add(visit)

    soup = clerk.soup(url(child))

    said = {part["id"]: part.get_text(" ", strip=True) for part in soup.select("main section")}
    assert "莫大" in said["people"]
    assert "连续三天未到校" in said["status-line"]
    assert "13 岁" in said["facts"] or "13岁" in said["facts"]
    for words in ("2026-02-28", "2026-03-05", "韦所长、覃主任"):
        assert words in said["child-visits"]
    assert "2025-09-01" in said["child-places"]
    assert "旷课1天" in said["child-absences"]
    assert "2025-06-02" not in said["child-absences"]
    assert "缺认定表" in said["child-findings"]
    assert "未报告" in said["child-findings"]
    assert "桌椅不足" not in said["child-findings"]
    assert "ABS-open" in said["child-violations"]
    assert "ABS-past" not in said["child-violations"]
    files = {"情况说明.pdf", "通话记录.png", "劝返28.jpg", "劝返5.jpg", "认定表.pdf"}
    assert set(texts(soup, "#child-documents td:first-child")) == files
    lines = texts(soup, ".due-lines li")
    assert [line[:10] for line in lines] == ["2026-03-09", "2026-03-10", "2026-03-20"]
    for words, line in zip(("逾期1天", "今天", "还有10天"), lines, strict=True):
        assert words in line
    assert len(soup.select(".due-lines .is-overdue")) == 1


def test_numbers_are_masked_until_a_purpose_is_given(
    clerk: Visitor, child: int, county: CountyBuilder
) -> None:
    masked = clerk.get(url(child)).get_data(as_text=True)
    unsaid = clerk.submit(url(child), {"purpose": " "}, select="form[action*=reveal]")
    told = clerk.submit(url(child), {"purpose": "核对学籍"}, select="form[action*=reveal]")
    after = clerk.get(url(child)).get_data(as_text=True)

    assert ID_NUMBER not in masked + after + unsaid.get_data(as_text=True)
    assert PHONE not in masked + after + unsaid.get_data(as_text=True)
    assert "000000********0019" in masked
    assert ID_NUMBER in told.get_data(as_text=True)
    assert PHONE in told.get_data(as_text=True)
    assert "no-store" in told.headers["Cache-Control"]
    kept = county.all(select(Change).filter_by(action="reveal"))
    assert [(row.table_name, row.row_id, row.note) for row in kept] == [
        ("child", child, "核对学籍")
    ]


def test_who_only_reads_reveals_nothing(
    login: Login, clerk: Visitor, child: int, county: CountyBuilder
) -> None:
    leader = login("township_leader", township=county.a_township)
    assert clerk.soup(url(child)).select("form[action*=reveal]")  # drawn for one who may, first

    page = leader.soup(url(child))
    answer = leader.post_with_token(url(child, "reveal"), {"purpose": "看看"})

    assert not page.select("form[action*=reveal]")
    assert ID_NUMBER not in answer.get_data(as_text=True)
    assert county.all(select(Change).filter_by(action="reveal")) == []


def test_child_of_another_school_is_not_there(
    login: Login, child: int, county: CountyBuilder
) -> None:
    stranger = login("school_clerk", school=county.school())

    answers = [stranger.get(url(child, page)) for page in ("show", "print")]
    answers.append(stranger.post_with_token(url(child, "reveal"), {"purpose": "看看"}))

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    kept = select(Change.action).filter_by(table_name="child", row_id=child)
    assert set(county.all(kept)).isdisjoint({"read", "reveal", "print"})


def test_printed_file_is_chinese_masked_and_recorded(
    clerk: Visitor, child: int, county: CountyBuilder
) -> None:
    clerk.get("/lang/en")

    soup = clerk.soup(url(child, "print"))

    paper = soup.select_one("article.case-file")
    said = paper.get_text(" ", strip=True)
    assert paper["lang"] == "zh"
    for words in (
        "基本情况",
        "学生状态变化",
        "莫小明",
        "莫大",
        "疑似辍学",
        "韦所长、覃主任",
        "缺认定表",
        "班主任（签字）",
    ):
        assert words in said
    assert ID_NUMBER not in str(soup)
    assert PHONE not in str(soup)
    assert not paper.select("a")
    kept = county.all(select(Change).filter_by(action="print"))
    assert [(row.table_name, row.row_id) for row in kept] == [("child", child)]


def rides(session: Session, child: Child) -> PanelContent:
    """Run the two statements that a panel may."""
    found = session.scalar(select(Child.name).where(Child.id == child.id))
    session.scalar(select(Child.village).where(Child.id == child.id))
    due = [Due(date(2026, 3, 12), "问校车", "/")]
    return PanelContent(["Who", "Count"], [PanelRow([found, 3], "/rides")], "两趟", due)


def broken(session: Session, _child: Child) -> PanelContent:
    """Break the transaction in the middle of the page."""
    session.execute(text("SELECT misspelt FROM child"))
    return PanelContent()


@pytest.fixture
def lend(app: Flask) -> Iterator[Callable[..., None]]:
    """Yield a function that gives a plugin panels for the test."""
    plugin = host_of(app).find("daily_check")
    assert plugin is not None
    before = plugin.offers.panels

    def give(*panels: Panel) -> None:
        plugin.offers.panels = panels

    yield give
    plugin.offers.panels = before
    plugin.late_problems.clear()


def panel(name: str, content: Any, view: str = "VisitView", order: int = 20) -> Panel:
    return Panel(f"daily_check.{name}", f"Panel {name}", order, view, content)


def test_panel_of_a_plugin_stands_in_its_place_on_page_and_paper(
    clerk: Visitor, child: int, lend: Callable[..., None]
) -> None:
    lend(panel("rides", rides), panel("closed", rides, view="PluginView"))

    soup, paper = clerk.soup(url(child)), clerk.soup(url(child, "print"))

    keys = [part["id"] for part in soup.select("main section[id*='-']")]
    assert keys[1:4] == ["child-visits", "daily_check-rides", "child-findings"]
    assert "daily_check-closed" not in keys
    assert texts(soup, "#daily_check-rides td") == ["莫小明", "3"]
    assert soup.select_one("#daily_check-rides td a")["href"] == "/rides"
    assert "问校车" in soup.select_one(".due-lines").get_text()
    assert "Panel rides" in paper.select_one(".case-file").get_text()
    assert "两趟" in paper.select_one(".case-file").get_text()


def test_panel_that_fails_leaves_the_page_standing(
    clerk: Visitor, child: int, lend: Callable[..., None], app: Flask, monkeypatch
) -> None:
    monkeypatch.setitem(app.config, "PLUGINS_STRICT", False)
    lend(panel("broken", broken), panel("rides", rides, order=30))

    answer = clerk.get(url(child))

    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Panel broken" not in page
    for words in ("Panel rides", "缺认定表", "认定表.pdf"):
        assert words in page
    plugin = host_of(app).find("daily_check")
    assert [one.id for one in plugin.late_problems] == ["E063"]


def test_page_runs_at_most_twenty_statements(
    login: Login, child: int, county: CountyBuilder, lend: Callable[..., None], app: Flask
) -> None:
    lend(*(panel(name, rides) for name in "abc"))  # beside those of the plugins
    clerk = login("school_clerk", school=county.a_school)
    clerk.get(url(child))

    with recorded(app) as seen:
        answer = clerk.get(url(child))

    assert answer.status_code == 200
    own = [statement for statement in seen if not statement.startswith("INSERT INTO change")]
    assert len(own) <= MOST_STATEMENTS, own
