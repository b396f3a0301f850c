"""Show the register of school-age children 学龄人口台账, and hand it out as a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from flask import Response
from flask_appbuilder import expose, has_access
from flask_appbuilder.models.filters import BaseFilter
from flask_appbuilder.security.decorators import permission_name
from flask_babel import lazy_gettext
from sqlalchemy import Select, select

from app.kit import (
    BureauModelView,
    Child,
    ChildStatus,
    Grant,
    Head,
    Page,
    Person,
    School,
    SchoolClass,
    Session,
    Sheet,
    SheetColumn,
    Township,
    _,
    _l,
    hookimpl,
    interface,
    school_age,
    today,
    workbook_answer,
)

ENDED: Final = ("graduated", "deceased")
"""Statuses after which nobody is asked for any more."""
EXPORTING: Final = (
    "task_group", "supervision_office", "education_assistant", "township_clerk", "school_leader",
    "school_clerk",
)  # fmt: skip
SEXES: Final = {"male": _l("Male"), "female": _l("Female")}


def _belongs(session: Session) -> Any:
    """Return the condition of the children in the register today."""
    ended = select(ChildStatus.id).where(ChildStatus.key.in_(ENDED))
    return school_age(session, today()) & Child.status_id.not_in(ended)


class OfSchoolAge(BaseFilter):
    """Keep the children in the register."""

    def apply(self, query: Any, value: Any) -> Any:
        """Narrow a query to them."""
        return query.filter(_belongs(interface(Child).session()))


class SchoolAgeView(BureauModelView):
    """List the school-age children, with or without enrolment; a line leads to the child's page."""

    datamodel = interface(Child)
    route_base = "/school-age"
    noun = _l("School-age child")
    list_title = _l("Register of school-age children")
    list_columns = [
        "name", "sex", "born_on", "township", "village", "school", "school_class", "status",
    ]  # fmt: skip
    show_columns: list[str] = []
    add_columns: list[str] = []
    edit_columns: list[str] = []
    search_columns = [
        "name", "township", "village", "school", "school_class", "status", "sex", "born_on",
    ]  # fmt: skip
    exclude_route_methods = frozenset({"add", "edit", "delete"})
    base_filters = [["status", OfSchoolAge, None]]
    choices_columns = {"sex": SEXES}
    list_template = "roll_and_attendance/register.html"
    row_view = "ChildView"
    label_columns = {
        "name": _l("Full name"),
        "sex": _l("Sex"),
        "born_on": _l("Born on"),
        "village": _l("Village"),
    }

    @expose("/workbook")
    @has_access
    @permission_name("export")
    def workbook(self) -> Response:
        """Hand out the register within the reader's scope; it bears no id numbers."""
        title = _("Register of school-age children %(day)s", day=today().isoformat())
        sheet = Sheet(title, Head(title), _columns(), _rows(self.datamodel.session()))
        return workbook_answer(title, [sheet], "register of school-age children")

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Tell the list whether the register may leave."""
        if template == self.list_template:
            kwargs["may_export"] = self.appbuilder.sm.has_access("can_export", type(self).__name__)
        return super().render_template(template, **kwargs)


def _columns() -> list[SheetColumn]:
    return [
        SheetColumn(_("Full name"), width=12),
        SheetColumn(_("Sex"), width=6),
        SheetColumn(_("Born on"), "date"),
        SheetColumn(_("Township"), width=12),
        SheetColumn(_("Village"), width=16),
        SheetColumn(_("School"), width=22),
        SheetColumn(_("Class"), width=16),
        SheetColumn(_("Status"), width=12),
        SheetColumn(_("Responsible person at the school"), width=14),
        SheetColumn(_("Responsible person at the township"), width=14),
    ]


def _lines(session: Session) -> Select[Any]:
    columns: list[Any] = [
        Child.name, Child.sex, Child.born_on, Township.name, Child.village, School.name,
        SchoolClass.name, ChildStatus.name, Child.school_responsible_id,
        Child.township_responsible_id,
    ]  # fmt: skip
    query: Select[Any] = (
        select(*columns)
        .join(Township, Township.id == Child.township_id)
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .outerjoin(School, School.id == Child.school_id)
        .outerjoin(SchoolClass, SchoolClass.id == Child.class_id)
        .where(_belongs(session))
    )
    return query.order_by(Township.position, Township.id, School.id, SchoolClass.id, Child.id)


def _rows(session: Session) -> Iterator[tuple[Any, ...]]:
    people = {row.id: row.name for row in session.execute(select(Person.id, Person.name))}
    for name, sex, *middle, status, one, other in session.execute(_lines(session)):
        said = str(SEXES.get(sex, "")), *middle, str(lazy_gettext(status))
        yield (name, *said, people.get(one), people.get(other))


@hookimpl
def grants() -> Iterable[Grant]:
    """Return the rights to take the register away."""
    return [Grant(role, "can_export", "SchoolAgeView") for role in EXPORTING]


@hookimpl
def views() -> Iterable[Page]:
    """Return the screen, within the children's part of the menu."""
    title = "Register of school-age children"
    return [Page(SchoolAgeView, title, "Children", "fa-children")]
