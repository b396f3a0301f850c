"""Compare the counts of a class: with its list, with the teacher's report, with the furniture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from app.models import ClassLine

CLASS_LINES = "class_lines"
"""The kind of the items that count classes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Say in words how the counts of one class differ, and whether pupils are missing."""

    text: str
    is_of_pupils: bool
    found_by_id: int | None


def is_explained(line: ClassLine) -> bool:
    """Tell whether a note says why the counts are as they are."""
    return bool(line.note and line.note.strip())


def differences_of(line: ClassLine, reported: int | None) -> Iterator[Difference]:
    """Yield how the counts of a class differ from its list, the teacher's report and each other.

    A line with a note is explained. The findings and the verdict that a form proposes follow this
    arithmetic; children absent without explanation are part of it, and no difference.
    """
    if is_explained(line):
        return
    name = str(line.school_class)
    yield from _of_pupils(line, name)
    if line.present is not None and reported is not None and line.present != reported:
        yield Difference(
            _(
                "%(name)s: %(present)s counted, %(reported)s reported by the class teacher",
                name=name,
                present=line.present,
                reported=reported,
            ),
            True,
            line.checked_by_id,
        )
    yield from _of_furniture(line, name)


def _of_pupils(line: ClassLine, name: str) -> Iterator[Difference]:
    leave, unexplained = line.on_leave or 0, line.unexplained or 0
    is_counted = line.on_roll is not None and line.present is not None
    if is_counted and line.on_roll != (line.present or 0) + leave + unexplained:
        yield Difference(
            _(
                "%(name)s: %(on_roll)s on the list, but %(present)s present, %(leave)s on leave"
                " and %(unexplained)s absent without explanation",
                name=name,
                on_roll=line.on_roll,
                present=line.present,
                leave=leave,
                unexplained=unexplained,
            ),
            True,
            line.checked_by_id,
        )


def _of_furniture(line: ClassLine, name: str) -> Iterator[Difference]:
    counts = [count for count in (line.desks, line.chairs) if count is not None]
    if line.on_roll is not None and any(count != line.on_roll for count in counts):
        yield Difference(
            _(
                "%(name)s: %(desks)s desks and %(chairs)s chairs for %(on_roll)s on the list",
                name=name,
                desks="–" if line.desks is None else line.desks,
                chairs="–" if line.chairs is None else line.chairs,
                on_roll=line.on_roll,
            ),
            False,
            line.checked_by_id,
        )
