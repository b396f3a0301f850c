"""Prepare what the pages of a comparison and of its lines show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from app.kit import Session, masked_number, number_is_sound

from .catalogue import methods
from .models import Comparison, Residual

KINDS = {
    "left": _l("Only on the first list"),
    "right": _l("Only on the second list"),
    "both": _l("On both lists"),
    "near": _l("Nearly alike"),
    "number": _l("Other id number"),
    "name": _l("Other name"),
    "double_left": _l("Id number twice on the first list"),
    "double_right": _l("Id number twice on the second list"),
    "unread": _l("Row cannot be read"),
}
LIKENESSES = {
    "check": _l("Check digit wrong"),
    "digit": _l("One digit differs"),
    "homophone": _l("Names sound alike"),
}


@dataclass(frozen=True, slots=True)
class Count:
    """How many lines of a kind there are, and how many of them are open."""

    kind: str
    title: Any
    all: int
    open: int


@dataclass(frozen=True, slots=True)
class SideFacts:
    """What one list says of a child; the id number only in part."""

    title: Any
    name: str
    number: str
    is_sound: bool
    born_on: date | None
    row: int | None
    child_id: int | None


def summary_of(session: Session, comparison: Comparison) -> list[Count]:
    """Return the counts of the lines in the reader's scope, in one statement."""
    counts = (
        select(Residual.kind, func.count(), func.count(Residual.closed_at))
        .where(Residual.comparison_id == comparison.id)
        .group_by(Residual.kind)
    )
    found = {kind: (number, closed) for kind, number, closed in session.execute(counts)}
    return [
        Count(kind, title_of(comparison, kind), found[kind][0], found[kind][0] - found[kind][1])
        for kind in KINDS
        if kind in found
    ]


def title_of(comparison: Comparison, kind: str) -> Any:
    """Return the title of a kind of lines with the names of the lists."""
    method = methods().get(comparison.method)
    if method is None or kind not in {"left", "right"}:
        return KINDS.get(kind, kind)
    side = method.left if kind == "left" else method.right
    return _l("Only on: %(list)s", list=lazy_gettext(side.title))


def sides_of(line: Residual) -> Sequence[SideFacts]:
    """Return what the two lists say, first the first; of a doubled number both rows of one list."""
    method = methods().get(line.comparison.method) if line.comparison else None
    first = lazy_gettext(method.left.title) if method else KINDS["left"]
    second = lazy_gettext(method.right.title) if method else KINDS["right"]
    if line.kind == "double_left":
        second = first
    if line.kind == "double_right":
        first = second
    sides = [_side(line, "left", first), _side(line, "right", second)]
    return [one for one in sides if one.name]


def _side(line: Residual, side: str, title: Any) -> SideFacts:
    child = getattr(line, f"{side}_child")
    number = (child.id_number if child is not None else getattr(line, f"{side}_number")) or ""
    return SideFacts(
        title=title,
        name=getattr(line, f"{side}_name") or "",
        number=masked_number(number),
        is_sound=not number or number_is_sound(number),
        born_on=getattr(line, f"{side}_born_on"),
        row=getattr(line, f"{side}_row"),
        child_id=child.id if child is not None else None,
    )
