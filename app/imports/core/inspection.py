"""Import inspections of the past: type, place, day and participants, without answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.base import registry
from app.imports.core.organization import BY_PERSON, BY_SCHOOL, BY_TOWNSHIP
from app.imports.entity import Column, Entity, Items, Key, Row
from app.models import (
    Checklist,
    ChecklistVersion,
    Inspection,
    InspectionParticipant,
    InspectionState,
    School,
)
from app.security.roles import CAPACITIES
from app.workflow.visit_day import refusals_of_school_days


def _types() -> Mapping[str, Any]:
    return {one.key: _l(one.title) for one in registry.inspection_types()}


def _prepare(session: Session, rows: Sequence[Row]) -> None:
    """Give each inspection the version of its checklist that was in force on its day."""
    used = {one.key: one.checklist for one in registry.inspection_types()}
    versions = session.execute(
        select(Checklist.key, ChecklistVersion.id, ChecklistVersion.valid_from)
        .join(ChecklistVersion, ChecklistVersion.checklist_id == Checklist.id)
        .order_by(ChecklistVersion.valid_from, ChecklistVersion.number)
    ).all()
    for row in rows:
        checklist, day = used.get(row.get("type")), row.get("occurred_on")
        of_type = [one for one in versions if one.key == checklist]
        fitting = [one for one in of_type if one.valid_from <= day] or of_type[:1]
        if not fitting:
            row.fail("type", _("This type of inspection has no checklist yet."))
        else:
            row.values["checklist_version_id"] = fitting[-1].id


def _check(session: Session, rows: Sequence[Row]) -> None:
    """Let new records say when they came in; refuse days on which their school has no class."""
    new = [row for row in rows if row.stored is None]
    for row in new:
        row.values["submitted_at"] = clock.now()
    of_schools = [row for row in new if row.get("school") is not None]
    keys = {row.get("school") for row in of_schools}
    schools = {one.id: one for one in session.scalars(select(School).where(School.id.in_(keys)))}
    visits = [(schools[row.get("school")], row.get("occurred_on")) for row in of_schools]
    reasons = refusals_of_school_days(session, visits)
    for row, reason in zip(of_schools, reasons, strict=True):
        if reason is not None:
            row.fail("occurred_on", reason)


INSPECTION = Entity(
    key="inspection",
    title=_l("Inspection"),
    model=Inspection,
    columns=(
        Column(
            "type",
            _l("Type of inspection"),
            "choice",
            is_required=True,
            choices=_types,
            field="type_key",
        ),
        Column("school", _l("School"), "lookup", lookup=BY_SCHOOL),
        Column(
            "township",
            _l("Township"),
            "lookup",
            lookup=BY_TOWNSHIP,
            help=_l("Only where the township itself was inspected."),
        ),
        Column("occurred_on", _l("Date of the inspection"), "date", is_required=True, is_past=True),
        Column("theme", _l("Theme")),
        Column("note", _l("Note")),
        Column(
            "participants",
            _l("Participants"),
            "items",
            items=Items(
                InspectionParticipant,
                "inspection_id",
                (
                    Column("person", _l("Person"), "lookup", lookup=BY_PERSON),
                    Column("capacity", _l("Capacity"), "choice", choices=CAPACITIES),
                ),
            ),
            help=_l("Name/capacity; several are parted by 、"),
        ),
    ),
    keys=(Key(("type", "occurred_on"), optional=("township", "school")),),
    place=("school", "township"),
    defaults={"state": InspectionState.SUBMITTED.value},
    derived=("checklist_version_id", "submitted_at"),
    prepare=_prepare,
    check=_check,
)
