"""Show the head-count of a day by school and class, and hand it out as a workbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from flask import Response, request
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _

from app.kit import Head, School, Sheet, SheetColumn, interface, today, workbook_answer

from .headcount import LEAVE, UNEXPLAINED, ClassRow, Headcount, columns, rows_of, total


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A school with the sums of its classes."""

    township: str
    school_id: int
    school: str
    figures: Headcount
    classes: Sequence[ClassRow]


class HeadcountView(BaseView):
    """Set the enrolment figure against where the children are 人数平衡."""

    route_base = "/headcount"
    default_view = "list"
    datamodel = interface(School)
    appbuilder: Any

    @expose("/")
    @has_access
    def list(self) -> Any:
        """Show the schools of the reader, or the classes of one of them."""
        day, error = _day(request.args.get("day", ""))
        chosen = request.args.get("school", type=int)
        schools = list(_by_school(rows_of(self.datamodel.session(), day, chosen)))
        return self.render_template(
            "reconciliation/headcount.html",
            title=_("Head-count of a day"),
            day=day,
            today=today(),
            error=error,
            schools=schools,
            chosen=chosen,
            sums=total([row for school in schools for row in school.classes]),
            heads=heads(),
            cells=cells,
            may_export=self.appbuilder.sm.has_access("can_export", type(self).__name__),
        )

    @expose("/workbook")
    @has_access
    @permission_name("export")
    def workbook(self) -> Response:
        """Hand out the figures by school and by class."""
        day, _error = _day(request.args.get("day", ""))
        chosen = request.args.get("school", type=int)
        rows = rows_of(self.datamodel.session(), day, chosen)
        title = _("Head-count %(day)s", day=day.isoformat())
        return workbook_answer(title, _sheets(title, rows), f"headcount {day.isoformat()}")


def heads() -> list[str]:
    """Return the heads of the figures, in the order of the identity."""
    titles = {LEAVE: _("On leave"), UNEXPLAINED: _("Whereabouts unexplained")}
    return [
        _("On the register"),
        _("At school with a record"),
        *titles.values(),
        *(str(title) for _key, title in columns()),
        _("Unexplained residue"),
        _("At school without a record"),
        _("At school"),
        _("Classes not counted"),
    ]


def cells(figures: Headcount) -> list[int | None]:
    """Return the figures in the order of their heads; None where nobody has counted."""
    found = figures.parts or {}
    keys = [LEAVE, UNEXPLAINED, *(key for key, _title in columns())]
    return [
        figures.registered,
        figures.present,
        *(found.get(key, 0) for key in keys),
        figures.residue,
        figures.guests,
        figures.counted,
        figures.uncounted,
    ]


def _by_school(rows: Sequence[ClassRow]) -> Iterator[SchoolRow]:
    for key, some in groupby(rows, key=lambda row: (row.township, row.school_id, row.school)):
        classes = list(some)
        yield SchoolRow(*key, figures=total(classes), classes=classes)


def _day(typed: str) -> tuple[date, str]:
    """Return the day that was asked for, else today, and what is wrong with it."""
    if not typed:
        return today(), ""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return today(), _("Write the day as 2026-03-05.")
    if day > today():
        return today(), _("This day lies in the future.")
    return day, ""


def _sheets(title: str, rows: Sequence[ClassRow]) -> Iterator[Sheet]:
    names = heads()
    counts = [SheetColumn(name, "count", is_summed=True) for name in names]
    place = [SheetColumn(_("Township"), width=12), SheetColumn(_("School"), width=24)]
    schools = [(one.township, one.school, *cells(one.figures)) for one in _by_school(rows)]
    by_class = [
        (one.township, one.school, one.school_class or _("Without a class"), *cells(one.figures))
        for one in rows
    ]
    total_title = _("Total")
    yield Sheet(
        _("By school"), Head(title), [*place, *counts], schools, total_title, frozen_columns=2
    )
    yield Sheet(
        _("By class"),
        Head(title),
        [*place, SheetColumn(_("Class"), width=16), *counts],
        by_class,
        total_title,
        frozen_columns=3,
    )
