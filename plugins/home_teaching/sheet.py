"""Show who is taught at home, and take a child's month in one screen 送教月历."""

from __future__ import annotations

from calendar import Calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.exc import StaleDataError

from app.kit import (
    CalendarDay,
    Child,
    EvidenceFile,
    NoValue,
    Person,
    Refused,
    Session,
    _,
    earlier_result,
    give_token,
    incident_text,
    interface,
    keep_token,
    today,
)

from .entry import complain, complain_of_clashes, store, stored_sessions
from .figures import STATES, TONES, Standing, child_year, standings
from .hours import running
from .models import Case, SessionTeacher, TeachingSession
from .month_form import MonthForm, month_form

SHOWN = 200
EARLIEST, LATEST = 2000, 2199


@dataclass(frozen=True, slots=True)
class Day:
    """A cell of the month's calendar."""

    day: date
    is_inside: bool
    """Whether the day belongs to the month that is shown."""
    is_school_day: bool
    lines: tuple[int, ...]
    """The lines of the form that tell of the day."""


class HomeTeachingView(BaseView):
    """List the children who are taught at home, and take their months."""

    route_base = "/home-teaching/months"
    default_view = "list"
    looks_up: ClassVar[dict[str, tuple[type[Any], ...]]] = {"can_edit": (Person, Child)}

    @expose("/")
    @has_access
    def list(self) -> str:
        """Show the running cases with the visits of the month and the hours of the year."""
        session = _session()
        day = today()
        rows = session.scalars(_running(day)).all()
        try:
            terms, found = standings(session, [case.child_id for case in rows[:SHOWN]], day)
        except NoValue:
            terms, found = None, {}
        return self._page(
            "home_teaching/list.html",
            title=_("Home teaching this month"),
            cases=[(case, found.get(case.child_id, Standing())) for case in rows[:SHOWN]],
            is_more=len(rows) > SHOWN,
            month=terms.month_of(day) if terms else None,
            needed=terms.settings.month_visits if terms else None,
        )

    @expose("/<int:pk>", methods=["GET"])
    @has_access
    @permission_name("show")
    def month(self, pk: int) -> str:
        """Show a month of a case with its form."""
        case, first = _case(pk), _month()
        rows = _session().scalars(_loaded(case, first)).all()
        form = month_form(case, len(rows))(formdata=None)
        form.fill(rows)
        return self._sheet(case, first, form)

    @expose("/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def store(self, pk: int) -> Any:
        """Store what came back in the form, or show it again with what is wrong."""
        case, first = _case(pk), _month()
        rows = _session().scalars(_loaded(case, first)).all()
        form = month_form(case, len(rows))()
        again = url_for("HomeTeachingView.month", pk=pk, month=f"{first:%Y-%m}")
        done = earlier_result(form, again) or _store(form, case, first, again)
        return done or self._sheet(case, first, form)

    def _sheet(self, case: Case, first: date, form: MonthForm) -> str:
        give_token(form)
        _read_files(_session(), form)
        anchor = min(max(first, case.starts_on), case.ends_on or today())
        year = child_year(_session(), case.child_id, max(first, anchor))
        return self._page(
            "home_teaching/month.html",
            title=_("Home teaching: %(child)s", child=case.child.name),
            case=case,
            form=form,
            first=first,
            before=_shifted(first, -1),
            after=_shifted(first, 1),
            weeks=_weeks(_session(), case, first, form),
            year=year,
            visits={day: visit for day, visit in year.visits.items() if _same_month(day, first)},
            states=STATES,
            tones=TONES,
            may_edit=self._may_edit(),
        )

    def _may_edit(self) -> bool:
        assert self.appbuilder is not None
        return bool(self.appbuilder.sm.has_access("can_edit", self.class_permission_name))

    def _page(self, template: str, **values: Any) -> str:
        page: str = self.render_template(template, **values)
        return page


def _session() -> Session:
    session: Session = interface(TeachingSession).session()
    return session


def _running(day: date) -> Select[Any]:
    return (
        select(Case)
        .where(running(day))
        .options(joinedload(Case.child), joinedload(Case.school), joinedload(Case.teacher))
        .order_by(Case.township_id, Case.school_id, Case.child_id)
        .limit(SHOWN + 1)
    )


def _case(pk: int) -> Case:
    query = select(Case).where(Case.id == pk)
    case = (
        _session().scalars(query.options(joinedload(Case.child), joinedload(Case.school))).first()
    )
    if case is None:
        abort(404)
    return case


def _month() -> date:
    """Return the first day of the month that the address asks for; this month without one."""
    asked = request.args.get("month", "")
    year, _dash, month = asked.partition("-")
    if not (year.isascii() and year.isdigit() and month.isascii() and month.isdigit()):
        return today().replace(day=1)
    if not (EARLIEST <= int(year[:5]) <= LATEST and 1 <= int(month[:3]) <= 12):
        return today().replace(day=1)
    return date(int(year), int(month), 1)


def _last(first: date) -> date:
    return _shifted(first, 1) - timedelta(days=1)


def _shifted(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _same_month(day: date, first: date) -> bool:
    return (day.year, day.month) == (first.year, first.month)


def _loaded(case: Case, first: date) -> Select[Any]:
    teachers = selectinload(TeachingSession.teachers).joinedload(SessionTeacher.person)
    return stored_sessions(case.child_id, first, _last(first)).options(teachers)


def _read_files(session: Session, form: MonthForm) -> None:
    """Read the files of all lines in one statement."""
    fields = [line.files for line in form.lines()]
    keys = {key for field in fields for key in (field.data, field.staged_id) if key is not None}
    found = select(EvidenceFile).where(
        EvidenceFile.evidence_set_id.in_(keys), EvidenceFile.dropped_at.is_(None)
    )
    files = session.scalars(found.order_by(EvidenceFile.id)).all() if keys else []
    for field in fields:
        own = (field.data, field.staged_id)
        field.files = [file for file in files if file.evidence_set_id in own]


def _weeks(session: Session, case: Case, first: date, form: MonthForm) -> list[list[Day]]:
    """Return the month as a calendar shows it, with the lines of each day."""
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    days = select(CalendarDay.day).where(
        CalendarDay.county_id == case.county_id,
        CalendarDay.day.between(weeks[0][0], weeks[-1][-1]),
        CalendarDay.is_school_day,
    )
    school_days = set(session.scalars(days))
    told: dict[date, tuple[int, ...]] = {}
    for line in form.lines():
        if line.day.data is not None:
            told[line.day.data] = (*told.get(line.day.data, ()), line.number)
    return [
        [Day(day, _same_month(day, first), day in school_days, told.get(day, ())) for day in week]
        for week in weeks
    ]


def _store(form: MonthForm, case: Case, first: date, again: str) -> Any | None:
    """Store a form that is right in every line; None where it has to come back."""
    session = _session()
    is_sound = form.validate()
    if complain(form, case, first, _last(first)) or not is_sound:
        return None
    if complain_of_clashes(session, form, case):
        return None
    try:
        changed = store(session, form, case, first, _last(first))
        keep_token(form, again)
        session.commit()
    except Refused as refusal:
        session.rollback()
        flash(refusal.message, "danger")
        return None
    except SQLAlchemyError as error:
        session.rollback()
        return _explain(error, form, again)
    told = _("%(count)s sessions were stored.", count=changed)
    flash(told if changed else _("Nothing was changed."), "success" if changed else "info")
    return redirect(again)


def _explain(error: SQLAlchemyError, form: MonthForm, again: str) -> Any | None:
    """Tell that another sending was faster, this form's own or somebody else's."""
    if not isinstance(error, StaleDataError | IntegrityError):
        flash(incident_text(error), "danger")
        return None
    done = earlier_result(form, again)
    if done is None:
        text = _("Somebody else was faster. Look at what is there now, then store again.")
        flash(text, "warning")
    return done
