"""Select the cases of home teaching whose six documents are not complete."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, extract, literal, or_, select

from app.kit import Settings, Window

from .hours import running
from .models import Case, Paper
from .papers import DATED, REQUIRED


def incomplete(window: Window, settings: Settings) -> Select[Any]:
    """Select the running cases that lack a document, or hold a form of the wrong year."""
    there: ColumnElement[Any] = literal(0)
    for ways in REQUIRED:
        found = or_(*(and_(*(_held(kind, settings) for kind in way)) for way in ways))
        there = there + case((found, 1), else_=0)
    query = select(
        literal("child").label("subject_type"),
        Case.child_id.label("subject_id"),
        Case.school_id,
        Case.township_id,
        Case.starts_on.label("period_start"),
        there.label("observed"),
        literal(len(REQUIRED)).label("required"),
    ).where(running(window.as_of), there < len(REQUIRED))
    if window.school_ids is not None:
        query = query.where(Case.school_id.in_(window.school_ids))
    return query


def _held(kind: str, settings: Settings) -> ColumnElement[bool]:
    """Tell whether a case holds a paper with its file, of the right year where it bears one."""
    held = exists().where(
        Paper.case_id == Case.id, Paper.kind == kind, Paper.evidence_set_id.is_not(None)
    )
    if kind in DATED:
        determined = extract("year", Case.determined_on)
        first = settings.first_forms_year
        held = held.where(Paper.form_year == case((determined < first, first), else_=determined))
    return held.correlate(Case)
