"""Add cases of suspension and deferral with papers and visits to the county of a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from app.models import Child
from plugins.suspension.kinds import APPROVED, CONSENT, FORMS, NUMBERED, PROOFS
from plugins.suspension.models import SuspensionCase, SuspensionPaper
from tests.builder import CountyBuilder
from tests.visits import JOINT, evidence, scope_of, visit

ALL_PAPERS = (*FORMS, *PROOFS, CONSENT)


def case(
    county: CountyBuilder,
    child: Child | None = None,
    *,
    approved_on: date | None = None,
    absent_from: date = date(2025, 12, 1),
    papers: Iterable[str] = ALL_PAPERS,
    **values: Any,
) -> SuspensionCase:
    """Add a suspension by policy with all its papers: approved for a year, or applied for."""
    whose = child or county.child(status="policy_suspension")
    facts: dict[str, Any] = {"kind": "policy_suspension", "counted_from": absent_from, **values}
    facts.setdefault("applied_on", (approved_on or date(2026, 2, 20)) - timedelta(days=5))
    if approved_on is not None:
        facts.setdefault("ends_on", approved_on + timedelta(days=365))
        facts.setdefault("state", APPROVED)
    row = county.add(
        SuspensionCase(
            child_id=whose.id, approved_on=approved_on, absent_from=absent_from, **facts,
            **scope_of(whose),
        )
    )  # fmt: skip
    for kind in papers:
        paper(county, row, whose, kind)
    return row


def paper(
    county: CountyBuilder, row: SuspensionCase, child: Child, kind: str, **values: Any
) -> SuspensionPaper:
    """Put a paper with its scan into the file of a case."""
    facts: dict[str, Any] = {"evidence_set_id": evidence(county, child), **values}
    if kind in NUMBERED:
        facts = {"number": "1号", "dated_on": row.approved_on or row.applied_on, **facts}
    return county.add(
        SuspensionPaper(case_id=row.id, child_id=child.id, kind=kind, **facts, **scope_of(child))
    )


def joint(county: CountyBuilder, child: Child, *days: date, **values: Any) -> None:
    """Add joint visits on some days."""
    held = evidence(county, child)
    for day in days:
        visit(
            county, child, visited_on=day, kinds=JOINT, has_evidence=False, evidence_set_id=held,
            **values,
        )  # fmt: skip


def alone(county: CountyBuilder, child: Child, days: Sequence[date], **values: Any) -> None:
    """Add visits of the school alone on some days."""
    held = evidence(county, child)
    for day in days:
        visit(
            county, child, visited_on=day, kinds=("school",), has_evidence=False,
            evidence_set_id=held, **values,
        )  # fmt: skip
