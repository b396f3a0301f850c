"""Turn what a comparison found into lines that somebody follows up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.kit import Session, add_rows

from .catalogue import Method, methods
from .lists import is_sound, with_numbers
from .matching import NOWHERE, Entry, Finding, Place, match, near
from .models import Comparison, Residual

PROPOSED = frozenset({"near", "number", "name", "double_left", "double_right", "unread"})
"""Kinds of lines that every comparison has, besides those that its method wants."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The two lists of a comparison, and the lines of their files that could not be read."""

    left: Sequence[Entry]
    right: Sequence[Entry]
    unread_left: Sequence[tuple[Entry, str]] = ()
    unread_right: Sequence[tuple[Entry, str]] = ()


def compare(session: Session, comparison: Comparison, lists: Lists) -> None:
    """Compare two lists and keep the counts and the lines; the statements do not grow with them."""
    method = methods()[comparison.method]
    matching = match(lists.left, lists.right)
    left = with_numbers(session, matching.left)
    right = with_numbers(session, matching.right)
    alike = near(left, right)
    settled = {id(entry) for one in alike for entry in (one.left, one.right)}
    both = (Finding("both", *two) for two in matching.same if "both" in method.lines)
    found = [
        *_known(session, [*matching.findings, *both]),
        *alike,
        *(Finding("left", left=one) for one in left if id(one) not in settled),
        *(Finding("right", right=one) for one in right if id(one) not in settled),
        *(Finding("unread", left=one, likeness=why) for one, why in lists.unread_left),
        *(Finding("unread", right=one, likeness=why) for one, why in lists.unread_right),
    ]
    comparison.left_count = len(lists.left) + len(lists.unread_left)
    comparison.right_count = len(lists.right) + len(lists.unread_right)
    comparison.agreeing = len(matching.same)
    add_rows(session, [residual(comparison, one) for one in _wanted(method, found)])


def residual(comparison: Comparison, finding: Finding) -> Residual:
    """Return the line of a finding, at the place of the child it is about."""
    one, other = finding.left, finding.right
    is_unread = finding.kind == "unread"
    county, township, school = _place(comparison, (one, other))
    row = Residual(
        comparison_id=comparison.id,
        kind=finding.kind,
        likeness=None if is_unread else finding.likeness,
        name=next(entry.name for entry in (one, other) if entry is not None),
        remark=_remark(finding)[:500] or None,
        is_sound=not is_unread and is_sound((one, other)),
        county_id=county,
        township_id=township,
        school_id=school,
    )
    for side, entry in (("left", one), ("right", other)):
        if entry is not None:
            _fill(row, side, entry)
    return row


def parts_of(line: Residual) -> Iterator[Residual]:
    """Yield the two lines into which a line of nearly alike children falls."""
    method = methods().get(line.comparison.method) if line.comparison else None
    wanted = method.lines if method else frozenset()
    for side in ("left", "right"):
        if side in wanted:
            yield _part(line, side)


def _part(line: Residual, side: str) -> Residual:
    copied = {
        f"{side}_{name}": getattr(line, f"{side}_{name}")
        for name in ("name", "number", "born_on", "row", "child_id")
    }
    number = Entry("", number=copied[f"{side}_number"])
    return Residual(
        comparison_id=line.comparison_id,
        kind=side,
        name=copied[f"{side}_name"],
        is_sound=is_sound((number,)),
        remark=line.remark,
        county_id=line.county_id,
        township_id=line.township_id,
        school_id=line.school_id,
        **copied,
    )


def _known(session: Session, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield findings of the exact steps with the id numbers of the product's own children."""
    entries = [entry for one in findings for entry in (one.left, one.right) if entry is not None]
    numbered = {
        id(old): new for old, new in zip(entries, with_numbers(session, entries), strict=True)
    }
    for one in findings:
        left = numbered[id(one.left)] if one.left is not None else None
        right = numbered[id(one.right)] if one.right is not None else None
        yield Finding(one.kind, left, right, one.likeness)


def _wanted(method: Method, findings: Iterable[Finding]) -> Iterator[Finding]:
    kinds = PROPOSED | method.lines
    return (one for one in findings if one.kind in kinds)


def _place(comparison: Comparison, entries: Iterable[Entry | None]) -> Place:
    """Return where a line belongs: with its child, else where its list says."""
    here = comparison.county_id, comparison.township_id, comparison.school_id
    named = [one for one in entries if one is not None and one.place != NOWHERE]
    own = [one.place for one in named if one.child_id is not None]
    said = [one.place for one in named if one.child_id is None and _lies_in(one.place, here)]
    return next(iter([*own, *said]), here)


def _lies_in(place: Place, here: Place) -> bool:
    """Tell whether a list may send its line there: not out of the place where it was compared."""
    return here[1] is None or (place[1] == here[1] and here[2] in (None, place[2]))


def _fill(row: Residual, side: str, entry: Entry) -> None:
    """Keep what a list said; the number of the product's own child stays with the child."""
    setattr(row, f"{side}_name", entry.name)
    setattr(row, f"{side}_born_on", entry.born_on)
    setattr(row, f"{side}_row", entry.row)
    setattr(row, f"{side}_child_id", entry.child_id)
    if entry.child_id is None:
        setattr(row, f"{side}_number", entry.number)


def _remark(finding: Finding) -> str:
    said = [one.remark for one in (finding.left, finding.right) if one is not None and one.remark]
    reason = finding.likeness if finding.kind == "unread" else None
    return " ".join(text for text in (reason, *said) if text)
