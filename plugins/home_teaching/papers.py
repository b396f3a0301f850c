"""Say which of the six documents 送教上门材料 of a case are missing, or of the wrong year.

LP24-A1-4-3: basic form, assessment check form, appraisal application form, individual case plan,
disability certificate (or a hospital's diagnosis with the application), opinion of the guardian.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.kit import _

from .models import Paper
from .words import PAPERS

DATED: Final = frozenset({"assessment_form", "appraisal_form"})
"""Forms that bear the year of their print."""
REQUIRED: Final = (
    (("basic_form",),),
    (("assessment_form",),),
    (("appraisal_form",),),
    (("plan",),),
    (("certificate",), ("diagnosis", "certificate_application")),
    (("guardian_opinion",),),
)
"""Each document with the ways to have it, the usual one first; a way may need several papers."""


@dataclass(frozen=True, slots=True)
class Held:
    """Hold what is known of a stored paper."""

    kind: str
    form_year: int | None = None
    has_files: bool = True


def form_year(determined_on: date, first_year: int) -> int:
    """Return the year of the forms: the first there are, or the year of the determination."""
    return max(first_year, determined_on.year)


def faults(papers: Iterable[Held], determined_on: date, first_year: int) -> Iterator[str]:
    """Yield in words what is wrong with the documents of a case; nothing where all are there."""
    held = {paper.kind: paper for paper in papers if paper.has_files}
    wanted = form_year(determined_on, first_year)
    for ways in REQUIRED:
        complete = next((way for way in ways if all(kind in held for kind in way)), None)
        if complete is None:
            yield _("%(paper)s is missing", paper=PAPERS[_nearest(ways, held)])
        elif complete[0] in DATED and held[complete[0]].form_year != wanted:
            yield _(
                "%(paper)s: the form of %(year)s is needed", paper=PAPERS[complete[0]], year=wanted
            )


def _nearest(ways: tuple[tuple[str, ...], ...], held: Iterable[str]) -> str:
    """Return the paper to ask for: what a way that was begun still lacks, or the usual one."""
    known = set(held)
    for way in ways:
        if known & set(way):
            return next(kind for kind in way if kind not in known)
    return ways[0][0]


def held_of(papers: Iterable[Paper]) -> list[Held]:
    """Return what is known of stored papers; one without a file is not there."""
    return [
        Held(paper.kind, paper.form_year, paper.evidence_set_id is not None) for paper in papers
    ]
