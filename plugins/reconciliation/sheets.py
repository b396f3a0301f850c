"""Write the lines of a comparison as a workbook: a sheet of counts, then one for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from app.kit import (
    Child,
    Head,
    Person,
    School,
    Session,
    Sheet,
    SheetColumn,
    Township,
    masked_number,
)

from .catalogue import closures
from .models import Comparison, Residual
from .page import KINDS, LIKENESSES, summary_of, title_of

LEFT, RIGHT = aliased(Child), aliased(Child)


def sheets_of(
    session: Session, comparison: Comparison, *, is_revealed: bool = False
) -> Iterator[Sheet]:
    """Yield the sheets; the lines are read by one statement within the reader's scope.

    Id numbers are masked unless they are revealed for a purpose that the trail keeps.
    """
    written = str if is_revealed else masked_number
    yield _counts(session, comparison)
    lines = session.execute(_lines(comparison)).all()
    order = {kind: place for place, kind in enumerate(KINDS)}
    lines = sorted(lines, key=lambda line: (order.get(line.kind, len(order)), line.id))
    for kind, some in groupby(lines, key=attrgetter("kind")):
        title = str(title_of(comparison, kind))
        head = Head(title, str(comparison))
        yield Sheet(title, head, _columns(), list(_rows(some, written)), frozen_columns=2)


def _counts(session: Session, comparison: Comparison) -> Sheet:
    columns = [
        SheetColumn(_("What does not agree"), width=34),
        SheetColumn(_("Lines"), "count", is_summed=True),
        SheetColumn(_("Open"), "count", is_summed=True),
    ]
    rows = [(str(one.title), one.all, one.open) for one in summary_of(session, comparison)]
    subtitle = _(
        "First list: %(left)s rows; second list: %(right)s rows; agreeing: %(agreeing)s",
        left=comparison.left_count,
        right=comparison.right_count,
        agreeing=comparison.agreeing,
    )
    head = Head(str(comparison), subtitle)
    return Sheet(_("Overview"), head, columns, rows, total_title=_("Total"))


def _columns() -> list[SheetColumn]:
    first, second = _("First list"), _("Second list")
    sides = [
        column
        for group in (first, second)
        for column in (
            SheetColumn(_("Full name"), width=12, group=group),
            SheetColumn(_("Id number"), width=21, group=group),
            SheetColumn(_("Born on"), "date", group=group),
            SheetColumn(_("Row"), "count", width=7, group=group),
        )
    ]
    return [
        SheetColumn(_("Township"), width=12),
        SheetColumn(_("School"), width=22),
        *sides,
        SheetColumn(_("Why they may be one"), width=16),
        SheetColumn(_("The list says"), width=28),
        SheetColumn(_("Reason of closing"), width=22),
        SheetColumn(_("Remark on closing"), width=22),
        SheetColumn(_("Closed on"), "date"),
        SheetColumn(_("Closed by"), width=12),
    ]


def _lines(comparison: Comparison) -> Select[Any]:
    columns: list[Any] = [
        Residual.id, Residual.kind, Residual.likeness, Residual.remark, Residual.closure,
        Residual.closure_note, Residual.closed_at, Residual.left_name, Residual.left_number,
        Residual.left_born_on, Residual.left_row, Residual.right_name, Residual.right_number,
        Residual.right_born_on, Residual.right_row,
        LEFT.id_number.label("left_own"), RIGHT.id_number.label("right_own"),
        Township.name.label("township"), School.name.label("school"),
        Person.name.label("closed_by"),
    ]  # fmt: skip
    return (
        select(*columns)
        .outerjoin(Residual.left_child.of_type(LEFT))
        .outerjoin(Residual.right_child.of_type(RIGHT))
        .outerjoin(Township, Township.id == Residual.township_id)
        .outerjoin(School, School.id == Residual.school_id)
        .outerjoin(Person, Person.id == Residual.closed_by_id)
        .where(Residual.comparison_id == comparison.id)
    )


def _rows(lines: Iterable[Any], written: Callable[[str], str]) -> Iterator[tuple[Any, ...]]:
    codes = closures()
    for line in lines:
        closure = codes.get(line.closure or "")
        yield (
            line.township,
            line.school,
            line.left_name,
            written(line.left_own or line.left_number or "") or None,
            line.left_born_on,
            line.left_row,
            line.right_name,
            written(line.right_own or line.right_number or "") or None,
            line.right_born_on,
            line.right_row,
            str(LIKENESSES[line.likeness]) if line.likeness in LIKENESSES else None,
            line.remark,
            str(lazy_gettext(closure.title)) if closure else line.closure,
            line.closure_note,
            line.closed_at.date() if line.closed_at else None,
            line.closed_by,
        )
