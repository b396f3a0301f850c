"""Greet each person with what he has to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import g, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import Select, func, select

from app import clock
from app.base import registry
from app.crud.fab import BaseView
from app.extensions import db
from app.models import (
    AttendanceReport,
    EnrolmentProblem,
    Excuse,
    Inspection,
    InspectionState,
    LateEntry,
    Obligation,
    RequestState,
    School,
    Township,
    VisitCheck,
)
from app.models.enrolment_problem import OPEN
from app.views.card import Card, finding_cards, unconfirmed
from app.views.teaching_point import points_to_confirm
from app.workflow.seat import is_open
from app.workflow.transfer import arrivals


class HomeView(BaseView):
    """The first page: cards of what the acting appointment has to do."""

    route_base = ""
    default_view = "index"

    @expose("/")
    def index(self) -> str:
        """Show the cards, or the way to the login."""
        self.update_redirect()
        acting = current_user.is_authenticated and g.get("appointment") is not None
        cards = list(self._cards()) if acting else []
        return self.render_template("home.html", cards=cards, place=_place() if acting else None)

    def _cards(self) -> Iterator[Card]:
        yield from self._inbox()
        yield from self._attendance()
        yield from self._points()
        yield from self._confirmations()
        yield from self._waiting()
        yield from self._arrivals()
        yield from self._findings()
        yield from self._drafts()
        yield from self._forms()
        yield from self._links()

    def _may(self, permission: str, view: str) -> bool:
        return bool(self.appbuilder.sm.has_access(permission, view))

    def _inbox(self) -> Iterator[Card]:
        """Count what this office was told and has not read; the login brought the number."""
        unread = g.appointment.unread
        if unread and self._may("can_list", "InboxView"):
            text = _("What is due soon, overdue, or was asked of you.")
            address = url_for("InboxView.list")
            yield Card(_("Unread reminders"), address, unread, text, "fa-bell", "warning")

    def _attendance(self) -> Iterator[Card]:
        """Ask those who report classes for today's reports."""
        view = _view_named(self.appbuilder, "AttendanceEntryView")
        if view is None or not self._may("can_list", "AttendanceEntryView"):
            return
        done = select(func.count(AttendanceReport.id)).where(AttendanceReport.day == clock.today())
        count = db.session.scalar(done) or 0
        text = _("%(count)s classes have reported today.", count=count)
        yield Card(
            _("Attendance of today"), _default_url(view), None, text, "fa-user-check", "info"
        )

    def _points(self) -> Iterator[Card]:
        """Ask the leader of a parent school to confirm the checks of its teaching points."""
        if not g.scope.point_ids or not self._may("can_list", "TeachingPointView"):
            return
        count = points_to_confirm(g.scope)
        text = _("Checks of today that wait for your confirmation.")
        address, tone = url_for("TeachingPointView.list"), "warning" if count else ""
        title = _("Daily checks of teaching points")
        yield Card(title, address, count, text, "fa-school-flag", tone)

    def _confirmations(self) -> Iterator[Card]:
        """Ask who took part, or the inspected school, to confirm what others entered."""
        if not self._may("can_list", "InspectionView"):
            return
        for key, type_key, day, school in db.session.execute(unconfirmed()):
            kind = registry.inspection_type(type_key)
            if kind is None or _view_of(self.appbuilder, kind.model) is None:
                continue
            title = _("Confirm: %(kind)s", kind=_(kind.title))
            address = url_for("InspectionView.show", pk=key)
            text = " ".join(part for part in (school, day.isoformat()) if part)
            yield Card(title, address, None, text, "fa-signature", "warning")

    def _waiting(self) -> Iterator[Card]:
        """Count in one statement what waits for a decision of this office."""
        waiting = [one for one in _decisions() if self._may(one.permission, one.view)]
        if not waiting:
            return
        counts = select(*(one.counted.scalar_subquery() for one in waiting))
        for one, count in zip(waiting, db.session.execute(counts).one(), strict=True):
            if count:
                address = url_for(f"{one.view}.list", _flt_0_state=one.state)
                yield Card(one.title, address, count, one.text, one.icon, one.tone)

    def _arrivals(self) -> Iterator[Card]:
        """Ask the receiving school to confirm who has arrived."""
        if not self._may("can_confirm", "ArrivalView"):
            return
        count = len(arrivals(db.session()))
        if count:
            text = _("Children on the way to your schools; the sender keeps them till then.")
            address, icon = url_for("ArrivalView.list"), "fa-person-circle-check"
            yield Card(_("Arrivals to confirm"), address, count, text, icon, "warning")

    def _findings(self) -> Iterator[Card]:
        """Count what is late, waits and is open."""
        if self._may("can_list", "FindingView"):
            yield from finding_cards(serves=self._may("can_serve", "FeedbackView"))

    def _drafts(self) -> Iterator[Card]:
        """Remind of the forms that were begun and not submitted."""
        if not self._may("can_list", "InspectionView"):
            return
        begun = (
            select(Inspection.id, Inspection.type_key, Inspection.occurred_on, School.name)
            .outerjoin(School, School.id == Inspection.school_id)
            .where(
                Inspection.state == InspectionState.DRAFT,
                Inspection.created_by_id == current_user.id,
            )
            .order_by(Inspection.id.desc())
            .limit(3)
        )
        for key, type_key, day, school in db.session.execute(begun):
            kind = registry.inspection_type(type_key)
            view = None if kind is None else _view_of(self.appbuilder, kind.model)
            if kind is None or view is None:
                continue
            text = " ".join(part for part in (school, day.isoformat()) if part)
            title = _("Continue: %(kind)s", kind=_(kind.title))
            address = url_for(f"{view.endpoint}.edit", pk=key)
            yield Card(title, address, None, text, "fa-pen-to-square", "warning")

    def _forms(self) -> Iterator[Card]:
        """Offer the inspection forms that the appointment may fill."""
        for kind in registry.inspection_types():
            view = _view_of(self.appbuilder, kind.model)
            if view is not None and self._may("can_add", view.class_permission_name):
                address = url_for(f"{view.endpoint}.add")
                yield Card(_(kind.title), address, None, _("Begin a new record"), "fa-plus")

    def _links(self) -> Iterator[Card]:
        """Offer the pages of those who neither inspect nor are inspected."""
        for name, title, text, icon in (
            ("RoleScopeView", _("Roles and scopes"), _("Appoint people per township"), "fa-key"),
            ("PluginView", _("Plugins"), _("What serves, and what to mend"), "fa-plug"),
            ("ChangeView", _("Audit trail"), _("Who did what, and when"), "fa-shield-halved"),
            ("BulletinView", _("Bulletins"), _("Figures of a month"), "fa-bullhorn"),
        ):
            view = _view_named(self.appbuilder, name)
            if view is not None and self._may("can_list", view.class_permission_name):
                yield Card(title, _default_url(view), None, text, icon)


@dataclass(frozen=True, slots=True)
class Decision:
    """What waits for a decision: who may decide, how it is counted, how its card reads."""

    permission: str
    view: str
    state: str
    counted: Select[Any]
    title: str
    text: str
    icon: str
    tone: str = ""


def _decisions() -> Iterator[Decision]:
    requested = RequestState.REQUESTED
    yield Decision(
        "can_decide", "LateEntryView", requested,
        select(func.count(LateEntry.id)).where(LateEntry.state == requested),
        _("Late entries to decide"),
        _("Daily checks that schools ask to enter late."),
        "fa-hourglass-end",
    )  # fmt: skip
    yield Decision(
        "can_decide", "VisitCheckView", requested,
        select(func.count(VisitCheck.id)).where(VisitCheck.state == requested),
        _("Inspections to be looked into"),
        _("Schools say that nobody came."),
        "fa-user-slash", "warning",
    )  # fmt: skip
    yield from _excuses(requested)
    yield Decision(
        "can_settle", "EnrolmentProblemView", OPEN,
        select(func.count(EnrolmentProblem.id)).where(is_open()),
        _("Problem enrolments"),
        _("Id numbers that several schools report: find out where the child is."),
        "fa-clone", "warning",
    )  # fmt: skip


def _excuses(requested: str) -> Iterator[Decision]:
    """Ask the next level of each kind of inspection, and nobody else."""
    kinds = registry.inspection_types()
    own = [kind.key for kind in kinds if g.appointment.template in kind.excused_by]
    if own:
        yield Decision(
            "can_decide", "ExcuseView", requested,
            select(func.count(Excuse.id))
            .join(Obligation, Obligation.id == Excuse.obligation_id)
            .where(Excuse.state == requested, Obligation.type_key.in_(own)),
            _("Requests to be excused to decide"),
            _("Inspections that are due, and that others ask to be excused from."),
            "fa-hand",
        )  # fmt: skip


def _place() -> str | None:
    """Return the school or township of the acting appointment by name."""
    acting = g.appointment
    if acting.school_id is not None:
        return db.session.scalar(select(School.name).where(School.id == acting.school_id))
    if acting.township_id is not None:
        return db.session.scalar(select(Township.name).where(Township.id == acting.township_id))
    return None


def _view_named(appbuilder: Any, name: str) -> Any | None:
    return next((view for view in appbuilder.baseviews if type(view).__name__ == name), None)


def _view_of(appbuilder: Any, model: type[Any]) -> Any | None:
    """Return the view of exactly this model: inspection types share a table, not a class."""
    for view in appbuilder.baseviews:
        if getattr(getattr(view, "datamodel", None), "obj", None) is model:
            return view
    return None


def _default_url(view: Any) -> str:
    return url_for(f"{view.endpoint}.{view.default_view}")
