"""Add visits with participants and evidence to the county of a test."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from app.models import (
    Child,
    Code,
    EvidenceFile,
    EvidenceSet,
    Semester,
    Visit,
    VisitParticipant,
)
from tests.builder import CountyBuilder

_number = itertools.count(1)
JOINT = ("school", "township_government")


def evidence(county: CountyBuilder, child: Child) -> int:
    """Add an evidence set with one file in it; return its key."""
    scope = scope_of(child)
    held = county.add(EvidenceSet(**scope, is_staged=False))
    digest = f"{next(_number):064d}"
    county.add(
        EvidenceFile(
            **scope, evidence_set_id=held.id, name="照片.png", media_type="image/png", size=1,
            original_sha256=digest, stored_sha256=digest,
        )
    )  # fmt: skip
    return held.id


def visit(
    county: CountyBuilder,
    child: Child | None = None,
    *,
    visited_on: date,
    kinds: Sequence[str] = JOINT,
    has_evidence: bool = True,
    **values: Any,
) -> Visit:
    """Add a persuasion visit in person, joint unless the kinds of organisation say otherwise."""
    met = child or county.child()
    scope = scope_of(met)
    facts = {"kind": "persuasion", "met_child": True, "met_guardian": True, **values}
    row = Visit(child_id=met.id, visited_on=visited_on, **facts, **scope)
    if has_evidence:
        row.evidence_set_id = evidence(county, met)
    for kind in kinds:
        key = county.scalar(select(Code.id).filter_by(domain="organisation_kind", key=kind))
        row.participants.append(VisitParticipant(name="某某", organisation_kind_id=key, **scope))
    return county.add(row)


def scope_of(child: Child) -> dict[str, int | None]:
    """Return the scope columns of a child's rows."""
    return {name: getattr(child, name) for name in ("county_id", "township_id", "school_id")}


def semesters(county: CountyBuilder) -> list[Semester]:
    """Add the two semesters of the school year 2025–26."""
    spans = [
        ("2025年秋季学期", date(2025, 9, 1), date(2026, 1, 30)),
        ("2026年春季学期", date(2026, 3, 2), date(2026, 7, 10)),
    ]
    year, here = county.year, county.here
    return [
        county.add(
            Semester(
                county_id=here.id, school_year_id=year.id, name=name, starts_on=first, ends_on=last
            )
        )
        for name, first, last in spans
    ]
