"""Select what lacks documents: cases without their six papers, sessions without material."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    extract,
    func,
    literal,
    or_,
    select,
)

from app.kit import EvidenceFile, Settings, Township, Window

from .hours import running
from .judgement import SESSION
from .models import Case, Paper, TeachingSession
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


def without_material(window: Window, _settings: Settings) -> Select[Any]:
    """Select the sessions that lack a plan, a record or pictures 过程性材料: one of three each."""
    pictured = exists().where(
        EvidenceFile.evidence_set_id == TeachingSession.evidence_set_id,
        EvidenceFile.dropped_at.is_(None),
    )
    parts = (_is_written(TeachingSession.plan), _is_written(TeachingSession.record), pictured)
    there = sum((case((part, 1), else_=0) for part in parts), literal(0))
    query = (
        select(
            literal(SESSION).label("subject_type"),
            TeachingSession.id.label("subject_id"),
            TeachingSession.school_id,
            TeachingSession.township_id,
            TeachingSession.taught_on.label("period_start"),
            there.label("observed"),
            literal(len(parts)).label("required"),
        )
        .join(Township, Township.id == TeachingSession.township_id)
        .where(
            TeachingSession.taught_on.between(window.start, min(window.end, window.as_of)),
            Township.go_live_on <= TeachingSession.taught_on,
            there < len(parts),
        )
    )
    if window.school_ids is not None:
        query = query.where(TeachingSession.school_id.in_(window.school_ids))
    return query


def _is_written(text: Any) -> ColumnElement[bool]:
    written: ColumnElement[bool] = func.trim(func.coalesce(text, "")) != ""
    return written
