"""Read what the core knows of a child beyond his own row: one statement for each panel."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, and_, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from app import clock
from app.crud.badge import state_badge
from app.crud.panel import Due, Panel, PanelContent, PanelRow
from app.models import (
    Absence,
    AnswerChild,
    Child,
    Code,
    Enrolment,
    EvidenceFile,
    Finding,
    School,
    SchoolClass,
    SchoolYear,
    StatusEvent,
    Transfer,
    Verdict,
    Violation,
    Visit,
    VisitParticipant,
)
from app.views.attendance_form import KIND_WORDS
from app.views.due import is_running
from app.views.violation import SEVERITIES
from app.views.visit import VISIT_KINDS
from app.words import words

MOST_ROWS: Final = 200
"""Rows of a panel: a child's whole time at school needs fewer."""


def visits(session: Session, child: Child) -> PanelContent:
    """Return the visits to a child, the newest first; the newest one says what is due next."""
    reason, outcome = aliased(Code), aliased(Code)
    who = (
        select(func.aggregate_strings(VisitParticipant.name, "、"))
        .where(VisitParticipant.visit_id == Visit.id)
        .correlate(Visit)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Visit, reason.name, outcome.name, who)
        .outerjoin(reason, reason.id == Visit.reason_id)
        .outerjoin(outcome, outcome.id == Visit.outcome_id)
        .where(Visit.child_id == child.id)
        .order_by(Visit.visited_on.desc(), Visit.id.desc())
        .limit(MOST_ROWS)
    ).all()
    newest = rows[0][0] if rows else None
    return PanelContent(
        heads=[_("Visited on"), _("Kind"), _("Met"), _("Taken part"), _("Reason"), _("Outcome")],
        rows=[
            PanelRow(
                [
                    visit.visited_on,
                    str(VISIT_KINDS.get(visit.kind, visit.kind)),
                    _met(visit),
                    names,
                    words(because),
                    words(result),
                ],
                url_for("VisitView.show", pk=visit.id),
            )
            for visit, because, result, names in rows
        ],
        due=[] if newest is None else _next_visit(newest),
    )


def _met(visit: Visit) -> str:
    """Say whom a visit met, and whether from afar."""
    parts = [
        text
        for text, is_true in (
            (_("Child"), visit.met_child),
            (_("Guardian"), visit.met_guardian),
            (_("remote"), visit.is_remote),
        )
        if is_true
    ]
    return _(", ").join(parts)


def _next_visit(visit: Visit) -> list[Due]:
    if visit.next_on is None:
        return []
    text = visit.next_step or _("Next visit")
    return [Due(visit.next_on, text, url_for("VisitView.add", _flt_0_child=visit.child_id))]


def places(session: Session, child: Child) -> PanelContent:
    """Return where a child sat, the present place first."""
    rows = session.execute(
        select(Enrolment, School.name, SchoolClass.name)
        .outerjoin(School, School.id == Enrolment.school_id)
        .outerjoin(SchoolClass, SchoolClass.id == Enrolment.class_id)
        .where(Enrolment.child_id == child.id)
        .order_by(Enrolment.valid_from.desc())
        .limit(MOST_ROWS)
    ).all()
    return PanelContent(
        heads=[_("From"), _("Until"), _("School"), _("Class"), _("Enrolment record")],
        rows=[
            PanelRow(
                [
                    place.valid_from,
                    place.valid_to,
                    school,
                    seat,
                    _("held here") if place.is_registered else _("held elsewhere"),
                ],
                url_for("EnrolmentView.show", pk=place.id),
            )
            for place, school, seat in rows
        ],
    )


def absences(session: Session, child: Child) -> PanelContent:
    """Return the absences of this school year, counted by kind."""
    begun = select(func.max(SchoolYear.starts_on)).where(SchoolYear.starts_on <= clock.today())
    rows = session.execute(
        select(Absence.id, Absence.day, Absence.kind, Absence.contact_note)
        .where(Absence.child_id == child.id, Absence.day >= begun.scalar_subquery())
        .order_by(Absence.day.desc())
        .limit(MOST_ROWS)
    ).all()
    counts = Counter(row.kind for row in rows)
    told = [
        _("%(kind)s: %(count)s days", kind=str(title), count=counts[kind])
        for kind, title in KIND_WORDS.items()
        if counts[kind]
    ]
    return PanelContent(
        heads=[_("Day"), _("Kind of absence"), _("Contact with the guardian")],
        rows=[
            PanelRow(
                [row.day, str(KIND_WORDS.get(row.kind, row.kind)), row.contact_note],
                url_for("AbsenceView.show", pk=row.id),
            )
            for row in rows
        ],
        note=_(", ").join(told) if told else _("No absence in this school year."),
    )


def findings(session: Session, child: Child) -> PanelContent:
    """Return the findings that name a child, or that a failed answer about him brought."""
    failed = select(AnswerChild.answer_id).where(
        AnswerChild.child_id == child.id, AnswerChild.verdict == Verdict.FAILS
    )
    rows = session.scalars(
        select(Finding)
        .where(or_(Finding.child_id == child.id, Finding.answer_id.in_(failed)))
        .order_by(Finding.found_on.desc(), Finding.id.desc())
        .limit(MOST_ROWS)
    ).all()
    return PanelContent(
        heads=[_("Found on"), _("Facts"), _("State"), _("Rectify by")],
        rows=[
            PanelRow(
                [row.found_on, str(row), state_badge(row.state), row.due_on],
                url_for("FindingView.show", pk=row.id),
            )
            for row in rows
        ],
        due=[
            Due(row.due_on, str(row), url_for("FindingView.show", pk=row.id))
            for row in rows
            if row.due_on is not None and is_running(row)
        ],
    )


def violations(session: Session, child: Child) -> PanelContent | None:
    """Return what the rules find of a child and is not resolved."""
    rows = session.scalars(
        select(Violation)
        .where(
            Violation.subject_type == Child.__tablename__,
            Violation.subject_id == child.id,
            Violation.resolved_on.is_(None),
        )
        .order_by(Violation.first_seen.desc(), Violation.id.desc())
        .limit(MOST_ROWS)
    ).all()
    if not rows:
        return None
    return PanelContent(
        heads=[_("First seen"), _("Severity"), _("Rule"), _("What was found")],
        rows=[
            PanelRow(
                [
                    row.first_seen,
                    str(SEVERITIES.get(row.severity, row.severity)),
                    row.code,
                    row.message,
                ],
                url_for("ViolationView.show", pk=row.id),
            )
            for row in rows
        ],
    )


def transfers(session: Session, child: Child) -> PanelContent | None:
    """Return the transfers of a child; most have none."""
    rows = session.scalars(
        select(Transfer)
        .where(Transfer.child_id == child.id)
        .order_by(Transfer.started_on.desc(), Transfer.id.desc())
        .limit(MOST_ROWS)
    ).all()
    if not rows:
        return None
    return PanelContent(
        heads=[_("Left on"), _("Receiving school"), _("Basis"), _("Arrived on"), _("Cancelled on")],
        rows=[
            PanelRow(
                [row.started_on, row.to_place, row.basis, row.arrived_on, row.cancelled_on],
                url_for("TransferView.show", pk=row.id),
            )
            for row in rows
        ],
    )


OWNERS: Final[tuple[tuple[type[Any], Any, Any], ...]] = (
    (StatusEvent, StatusEvent.happened_on, _l("Change of status")),
    (Visit, Visit.visited_on, _l("Visit")),
    (Absence, Absence.day, _l("Absence")),
    (AnswerChild, None, _l("Inspection")),
    (Transfer, Transfer.started_on, _l("Transfer")),
)
"""The records about a child that hold evidence, their day, and what they are called."""


def documents(session: Session, child: Child) -> PanelContent:
    """Return the files that lie with the records about a child."""
    rows = session.execute(_files_of(child).limit(MOST_ROWS)).all()
    return PanelContent(
        heads=[_("File"), _("Belongs to"), _("Day of the record"), _("Entered at")],
        rows=[
            PanelRow(
                [file.name, *_owner(found), clock.local(file.created_at).date()],
                url_for("EvidenceView.download", pk=file.id),
            )
            for file, *found in rows
        ],
    )


def _files_of(child: Child) -> Select[Any]:
    """Select the files with the day of each record that may hold them; one of them is there."""
    held = union_all(
        *(
            select(owner.evidence_set_id).where(
                owner.child_id == child.id, owner.evidence_set_id.is_not(None)
            )
            for owner, _day, _title in OWNERS
        )
    )
    query = select(EvidenceFile).where(
        EvidenceFile.evidence_set_id.in_(held), EvidenceFile.dropped_at.is_(None)
    )
    for owner, day, _title in OWNERS:
        same = owner.evidence_set_id == EvidenceFile.evidence_set_id
        query = query.outerjoin(owner, and_(same, owner.child_id == child.id))
        query = query.add_columns(owner.id if day is None else day)
    return query.order_by(EvidenceFile.id.desc())


def _owner(found: list[Any]) -> list[Any]:
    """Return what holds a file, and its day where it has one."""
    for (_model, day, title), value in zip(OWNERS, found, strict=True):
        if value is not None:
            return [str(title), value if day is not None else None]
    return ["", None]


CORE_PANELS: Final = (
    Panel("child.visits", _l("Visits"), 10, "VisitView", visits),
    Panel("child.transfers", _l("Transfers"), 30, "TransferView", transfers),
    Panel("child.findings", _l("Findings"), 40, "FindingView", findings),
    Panel("child.violations", _l("Violations and warnings"), 45, "ViolationView", violations),
    Panel("child.absences", _l("Absences of this school year"), 50, "AbsenceView", absences),
    Panel("child.places", _l("Enrolments"), 60, "EnrolmentView", places),
    Panel("child.documents", _l("Documents"), 90, "EvidenceFileView", documents),
)
