"""Name for each core view what its forms take: a value to add, and a change to make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from app.models import ChildStatus, Code, Parameter, Visit
from tests.builder import CountyBuilder

CORE_MODULES = {
    f"app.views.{name}"
    for name in (
        "organization", "calendar", "staff", "child", "child_history", "code", "visit", "policy",
        "checklist", "obligation", "audit",
    )
}  # fmt: skip
DAY = "2026-03-05"


@dataclass(frozen=True)
class Example:
    """What to type into the add form, and what to change afterwards."""

    add: Callable[[CountyBuilder], dict[str, Any]]
    change: dict[str, Any] = field(default_factory=dict)
    shows: str = ""
    is_deleted: bool = True


def code(county: CountyBuilder, domain: str) -> int:
    """Return the key of a coded answer of a domain."""
    return county.scalar(select(Code.id).where(Code.domain == domain).limit(1))


def status(county: CountyBuilder, key: str) -> int:
    """Return the key of a child status."""
    return county.scalar(select(ChildStatus.id).where(ChildStatus.key == key))


def a_visit(county: CountyBuilder) -> Visit:
    """Add a visit to a new child."""
    child = county.child()
    scope = county.scope_of(county.a_school)
    return county.add(Visit(child_id=child.id, kind="home", visited_on=date(2026, 3, 2), **scope))


EXAMPLES = {
    "TownshipView": Example(lambda c: {"name": "青山镇", "code": "QS"}, {"alias": "青山"}, "青山"),
    "SchoolView": Example(
        lambda c: {
            "township": c.a_township.id,
            "name": "青山小学",
            "code": "QS1",
            "kind": "primary",
        },
        {"address": "青山街一号"},
        "青山街一号",
    ),
    "SchoolClassView": Example(
        lambda c: {
            "school": c.a_school.id,
            "school_year": c.year.id,
            "name": "七（1）班",
            "grades": ["7", "8"],
        },
        {"grades": ["8", "9"]},
        "8, 9",
    ),
    "LiaisonContactView": Example(
        lambda c: {
            "school": c.a_school.id,
            "school_person": "李老师",
            "township_person": "王干事",
            "valid_from": DAY,
        },
        {"duties": "每周联系"},
        "每周联系",
    ),
    "SchoolYearView": Example(
        lambda c: {"name": "2030学年", "starts_on": "2030-09-01", "ends_on": "2031-08-31"},
        {"name": "2030—2031学年"},
        "2030—2031学年",
    ),
    "SemesterView": Example(
        lambda c: {
            "school_year": c.year.id,
            "name": "试验学期",
            "starts_on": "2026-03-01",
            "ends_on": "2026-07-10",
        },
        {"name": "春季学期"},
        "春季学期",
    ),
    "CalendarDayView": Example(
        lambda c: {"day": "2031-04-21", "name": "三月三"}, {"name": "壮族三月三"}, "壮族三月三"
    ),
    "CalendarExceptionView": Example(
        lambda c: {"school": c.a_school.id, "day": DAY, "reason": "停电"},
        {"reason": "停水"},
        "停水",
    ),
    "PersonView": Example(lambda c: {"name": "韦主任"}, {"unit": "教育局"}, "教育局"),
    "LiaisonAssignmentView": Example(
        lambda c: {
            "person": c.person("覃股长").id,
            "capacity": "liaison_department",
            "township": c.a_township.id,
            "valid_from": DAY,
        },
        {"department": "基教股"},
        "基教股",
    ),
    "ChildView": Example(
        lambda c: {
            "name": "莫小明",
            "id_kind": "none",
            "school": c.a_school.id,
            "status": status(c, "enrolled"),
        },
        {"village": "大榕村"},
        "大榕村",
        is_deleted=False,
    ),
    "EnrolmentView": Example(
        lambda c: {"child": c.child().id, "school": c.a_school.id, "valid_from": "2025-09-01"},
        {"valid_to": "2026-01-31"},
        "2026-01-31",
    ),
    "StatusEventView": Example(
        lambda c: {
            "child": c.child().id,
            "status": status(c, "suspected"),
            "happened_on": "2025-10-10",
            "basis": "班主任报告",
        },
        shows="班主任报告",
        is_deleted=False,
    ),
    "GuardianView": Example(
        lambda c: {"child": c.child().id, "name": "莫大", "phone": "13800001234"},
        {"name": "莫大山"},
        "138****1234",
    ),
    "ChildGroupView": Example(
        lambda c: {
            "child": c.child().id,
            "group": code(c, "special_group"),
            "valid_from": DAY,
        },
        {"valid_to": "2026-06-30"},
        "2026-06-30",
    ),
    "VisitView": Example(
        lambda c: {
            "child": c.child().id,
            "kind": "persuasion",
            "visited_on": "2025-11-03",
            "participants-0-organisation_kind": code(c, "organisation_kind"),
            "participants-0-name": "陆干部",
        },
        {"countermeasure": "联系镇政府"},
        "联系镇政府",
    ),
    "VisitParticipantView": Example(
        lambda c: {
            "visit": a_visit(c).id,
            "name": "陆干部",
            "organisation_kind": code(c, "organisation_kind"),
        },
        {"name": "陆干事"},
        "陆干事",
    ),
    "PolicyDocumentView": Example(
        lambda c: {
            "key": "P1",
            "title": "试行办法",
            "issuer": "教育局",
            "issued_on": DAY,
            "valid_from": DAY,
        },
        {"number": "荔教〔2026〕1号"},
        "荔教〔2026〕1号",
    ),
    "ParameterValueView": Example(
        lambda c: {
            "parameter": c.add(Parameter(key="core.example", title="示例", unit="day")).id,
            "valid_from": DAY,
            "number": "10",
            "basis": "decision",
        },
        {"note": "会议决定"},
        "会议决定",
    ),
    "CodeView": Example(
        lambda c: {"domain": "visit_reason", "key": "homesick", "name": "想家"},
        {"name": "思乡"},
        "思乡",
    ),
}
