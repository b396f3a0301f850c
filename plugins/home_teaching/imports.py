"""Import and export the disability roster, the cases and the sessions of home teaching."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import select

from app.kit import (
    CHILD_COLUMN,
    CHILD_NAME,
    Entity,
    ImportColumn,
    ImportRow,
    Items,
    Key,
    Lookup,
    Person,
    School,
    Session,
    _,
    _l,
    check_names,
)

from .clash import Booking, clashes
from .clock import minutes_of, time_of
from .models import Case, Disability, SessionTeacher, TeachingSession
from .words import DETERMINATIONS, DISABILITIES, END_REASONS, LEVELS, PLACEMENTS

BY_PERSON: Final = Lookup(Person, by=("name",))
FOR_EVER: Final = date(9999, 12, 31)
Span = tuple[date, date]


def _complete_disability(row: ImportRow, _today: date) -> None:
    _in_order(row, "valid_from", "valid_to")


def _complete_case(row: ImportRow, _today: date) -> None:
    _in_order(row, "starts_on", "ends_on")
    if (row.get("ends_on") is None) != (row.get("end_reason") is None):
        row.fail("end_reason", _("The last day and its reason belong together."))


def _in_order(row: ImportRow, first: str, last: str) -> None:
    since, until = row.get(first), row.get(last)
    if since is not None and until is not None and until < since:
        row.fail(last, _("The last day lies before the first."))


def _complete_session(row: ImportRow, _today: date) -> None:
    """Read the times as they are kept, and derive the minutes from them."""
    for name in ("starts_at", "ends_at"):
        written = row.get(name)
        if written is not None:
            row.values[name] = time_of(written)
            if row.values[name] is None:
                row.fail(name, _("This is not a time of day. Write it as 09:00."))
    start, end = row.get("starts_at"), row.get("ends_at")
    if not start or not end:
        return
    if end <= start:
        row.fail("ends_at", _("The end lies before the start."))
    row.values["minutes"] = minutes_of(start, end)
    hours = row.get("stated_hours")
    if hours is not None and not 1 <= hours <= 24:
        row.fail("stated_hours", _("Enter 1 to 24 class hours."))


def _check_disability(session: Session, rows: Sequence[ImportRow]) -> None:
    check_names(session, rows)
    _apart(session, rows, Disability, ("valid_from", "valid_to"))


def _check_case(session: Session, rows: Sequence[ImportRow]) -> None:
    check_names(session, rows)
    _apart(session, rows, Case, ("starts_on", "ends_on"))


def _apart(
    session: Session,
    rows: Sequence[ImportRow],
    model: type[Case] | type[Disability],
    names: tuple[str, str],
) -> None:
    """Refuse lines that share days with another row of the child, stored or in the file."""
    first, last = (getattr(model, name) for name in names)
    own = {row.stored.id for row in rows if row.stored is not None}
    taken: dict[int, list[Span]] = {}
    for key, child, since, until in session.execute(select(model.id, model.child_id, first, last)):
        if key not in own:
            taken.setdefault(child, []).append((since, until or FOR_EVER))
    for row in rows:
        span = (row.get(names[0]), row.get(names[1]) or FOR_EVER)
        held = taken.setdefault(row.get("child"), [])
        if any(since <= span[1] and until >= span[0] for since, until in held):
            row.fail(names[0], _("Another row of the child covers some of these days."))
        held.append(span)


def _check_session(session: Session, rows: Sequence[ImportRow]) -> None:
    """Keep sessions inside the cases, and teachers in one home at a time."""
    check_names(session, rows)
    children = {row.get("child") for row in rows}
    spans: dict[int, list[Span]] = {}
    held = select(Case.child_id, Case.starts_on, Case.ends_on).where(Case.child_id.in_(children))
    for child, since, until in session.execute(held):
        spans.setdefault(child, []).append((since, until or FOR_EVER))
    for row in rows:
        day = row.get("taught_on")
        if not any(since <= day <= until for since, until in spans.get(row.get("child"), ())):
            row.fail("taught_on", _("The child is not taught at home on this day."))
    sound = [row for row in rows if not row.faults]
    for place, text in clashes(session, [_booking(row) for row in sound]).items():
        sound[place].fail("teachers", text)


def _booking(row: ImportRow) -> Booking:
    people = frozenset(person for (person,) in row.get("teachers") or ())
    key = row.stored.id if row.stored is not None else None
    start, end = row.get("starts_at"), row.get("ends_at")
    return Booking(row.get("child"), row.get("taught_on"), start, end, people, key)


DISABILITY: Final = Entity(
    key="home_teaching_disability",
    title=_l("Disability roster"),
    model=Disability,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        ImportColumn(
            "kind", _l("Kind of disability"), "choice", is_required=True, choices=DISABILITIES
        ),
        ImportColumn("level", _l("Level of disability"), "choice", choices=LEVELS),
        ImportColumn("certificate_number", _l("Number of the disability certificate"), "id_number"),
        ImportColumn("placement", _l("Placement"), "choice", choices=PLACEMENTS),
        ImportColumn("valid_from", _l("On the roster from"), "date", is_required=True),
        ImportColumn("valid_to", _l("On the roster until"), "date"),
        ImportColumn("note", _l("Note")),
    ),
    keys=(Key(("child", "valid_from")),),
    view="DisabilityView",
    place=("child",),
    complete=_complete_disability,
    check=_check_disability,
)
CASE: Final = Entity(
    key="home_teaching_case",
    title=_l("Cases of home teaching"),
    model=Case,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        ImportColumn("school", _l("School"), "lookup", lookup=Lookup(School)),
        ImportColumn("teacher", _l("Responsible teacher"), "lookup", lookup=BY_PERSON),
        ImportColumn(
            "determination",
            _l("Determination"),
            "choice",
            is_required=True,
            choices=DETERMINATIONS,
        ),
        ImportColumn("determined_on", _l("Determined on"), "date", is_required=True, is_past=True),
        ImportColumn("starts_on", _l("Taught at home from"), "date", is_required=True),
        ImportColumn("ends_on", _l("Taught at home until"), "date"),
        ImportColumn("end_reason", _l("Reason of the end"), "choice", choices=END_REASONS),
        ImportColumn("note", _l("Note")),
    ),
    keys=(Key(("child", "starts_on")),),
    view="HomeTeachingCaseView",
    place=("school", "child"),
    complete=_complete_case,
    check=_check_case,
)
SESSION: Final = Entity(
    key="home_teaching_session",
    title=_l("Sessions of home teaching"),
    model=TeachingSession,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        ImportColumn("taught_on", _l("Taught on"), "date", is_required=True, is_past=True),
        ImportColumn("starts_at", _l("Starts at"), "code", is_required=True, help=_l("As 09:00.")),
        ImportColumn("ends_at", _l("Ends at"), "code", is_required=True, help=_l("As 10:30.")),
        ImportColumn("stated_hours", _l("Stated class hours"), "integer", is_required=True),
        ImportColumn(
            "teachers",
            _l("Teachers"),
            "items",
            is_required=True,
            items=Items(
                SessionTeacher,
                "session_id",
                (ImportColumn("person", _l("Full name"), "lookup", lookup=BY_PERSON),),
            ),
            help=_l("Names of the teachers, parted by 、"),
        ),
        ImportColumn("plan", _l("Lesson plan")),
        ImportColumn("record", _l("Record of the session")),
    ),
    keys=(Key(("child", "taught_on", "starts_at")),),
    view="HomeTeachingView",
    right="can_edit",
    place=("child",),
    derived=("minutes",),
    complete=_complete_session,
    check=_check_session,
)
