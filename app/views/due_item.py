"""Show what is to do and what is overdue 待办事项, and remind those who answer for it 催办."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import flash, g, redirect, url_for
from flask_appbuilder import AppBuilder, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import HiddenField, TextAreaField
from wtforms.validators import Length

from app import clock
from app.base import Refused, registry
from app.cadence.calendar import Calendar, load_calendars
from app.crud.base import ReadOnlyView
from app.crud.derived import Derived
from app.crud.fab import BaseFilter
from app.crud.fields import PlainText, trimmed
from app.crud.interface import BureauInterface
from app.crud.once import earlier_result, give_token, keep_token
from app.extensions import db
from app.models import Appointment, Digest, DigestState, DueItem, Notification, Person, Reminder
from app.models.inspection import type_title
from app.notices.due import DueKind, due_kinds, find_kind
from app.notices.ladder import OVERDUE, step_title
from app.notices.notify import SOON, overdue_days
from app.notices.remind import STEP, is_overdue, remind
from app.security.permissions import current_permissions
from app.security.roles import ROLES
from app.views.due import Due
from app.words import words

STEPS: Mapping[str, Any] = {SOON: _l("Due soon"), OVERDUE: _l("Overdue")}
LONGEST_NOTE = 200


class KindTitles(Mapping[str, Any]):
    """Name the kinds of things to do that serve, as a screen asks for them."""

    def __getitem__(self, key: str) -> Any:
        """Return the title of a kind."""
        kind = find_kind(key)
        if kind is None:
            raise KeyError(key)
        return kind.title

    def __iter__(self) -> Iterator[str]:
        """Yield the keys in the order of lists."""
        return (kind.key for kind in due_kinds())

    def __len__(self) -> int:
        """Return how many kinds there are."""
        return len(due_kinds())


def topic_title(topic: str | None) -> str:
    """Return in words what a thing is about: an inspection type, or a text of the data."""
    if topic and registry.inspection_type(topic) is not None:
        return str(type_title(topic))
    return words(topic)


def item_title(kind: DueKind | None, item: Any) -> str:
    """Return in words what is to do; the key where the kind's plugin is gone."""
    title = str(kind.title) if kind is not None else item.kind_key
    return " · ".join(part for part in (title, topic_title(item.topic)) if part)


def step_words(step: str) -> str:
    """Return in words under which step somebody was told."""
    if step.startswith(STEP):
        return _("Reminder")
    return str(STEPS.get(step) or step_title(step) or step)


def thing_url(kind: DueKind | None, subject_id: int) -> str | None:
    """Return the page of a thing, where its screen is there and open to the reader."""
    if kind is None or (f"can_{kind.page}", kind.view) not in current_permissions():
        return None
    return url_for(f"{kind.view}.{kind.page}", pk=subject_id if kind.page == "show" else None)


class StillOpen(BaseFilter):
    """The thing is still to do."""

    name = _l("still to do")
    arg_name = "still_open"

    def apply(self, query: Any, _value: Any) -> Any:
        """Narrow a query to what has not ended."""
        return query.filter(DueItem.ended_on.is_(None))


class DueInterface(BureauInterface):
    """Show by how many working days things are overdue; one calendar serves the whole page."""

    def get_values(self, lst: Sequence[Any], list_columns: list[str]) -> Iterator[dict[str, Any]]:
        """Yield the values of the list's columns."""
        today = clock.today()
        late = [item.due_on for item in lst if item.due_on < today]
        calendars = load_calendars(db.session(), min(late), today) if late else {}
        for item, shown in zip(lst, super().get_values(lst, list_columns), strict=True):
            calendar = calendars.get(item.county_id, Calendar())
            shown["due_on"] = Due(item.due_on, overdue_days(calendar, item, today))
            shown["kind_key"] = item_title(find_kind(item.kind_key), item)
            yield shown


class RemindForm(FlaskForm):
    """Ask what the reminder says besides."""

    submit_token = HiddenField()
    note = TextAreaField(
        _l("Remark to those who answer"),
        [PlainText(), Length(max=LONGEST_NOTE)],
        filters=[trimmed],
        description=_l("Write no names of children here."),
    )


class DueItemView(ReadOnlyView):
    """List what is to do in the reader's area, the longest overdue first, and remind of it."""

    datamodel = BureauInterface(DueItem)
    route_base = "/due"
    noun = _l("Thing to do")
    list_title = _l("Things to do and overdue")
    list_columns = ["due_on", "kind_key", "township", "school", "role", "needed"]
    show_columns = [
        "due_on", "kind_key", "topic", "township", "school", "role", "person", "needed",
        "first_seen",
    ]  # fmt: skip
    search_columns = ["kind_key", "due_on", "township", "school", "role", "first_seen"]
    base_order = ("due_on", "asc")
    base_filters = [["ended_on", StillOpen, None]]
    show_template = "due_item.html"
    choices_columns = {"kind_key": KindTitles(), "role": ROLES}
    formatters_columns = {"topic": topic_title}
    label_columns = {
        "kind_key": _l("What is to do"),
        "topic": _l("About"),
        "role": _l("Who answers"),
        "person": _l("Named person"),
        "needed": _l("At least still needed"),
        "first_seen": _l("Written down on"),
    }

    def _take_model(self, datamodel: Any) -> None:
        self.datamodel = DueInterface(datamodel.obj, datamodel._session, self.choices_columns)

    def derived(self, item: DueItem) -> Sequence[Derived]:
        """Return where it is done, and who was told of it when."""
        url = thing_url(find_kind(item.kind_key), item.subject_id)
        links = [(_("Go to the record"), url)] if url else []
        told = _told(item)
        answer = str(len(told)) if told else _("nobody yet")
        return [Derived(_("Who was told"), answer, "", told, links)]

    def shown(self, item: Any) -> None:
        """Remember the thing for the template."""
        g.shown_due = item

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Add the form of the reminder where the reader may remind."""
        if template == self.show_template and g.get("shown_due") is not None:
            kwargs["item"] = g.shown_due
            kwargs.setdefault("reminder", self._form(g.shown_due))
        return super().render_template(template, **kwargs)

    def _form(self, item: DueItem) -> RemindForm | None:
        """Return the form that came back, or a blank one for who may remind of this."""
        sent: RemindForm | None = g.get("sent_reminder")
        if sent is not None:
            return sent
        may = self.appbuilder.sm.has_access("can_remind", self.class_permission_name)
        acting = g.get("appointment")
        is_own = acting is not None and acting.template == item.role
        if not may or is_own or not is_overdue(db.session(), item):
            return None
        form = RemindForm(formdata=None)
        give_token(form)
        return form

    @expose("/remind/<pk>", methods=["POST"])
    @has_access
    @permission_name("remind")
    def remind(self, pk: str) -> Any:
        """Remind those who answer for an overdue thing; refused, the page comes back with why."""
        item = self.row(pk)
        form, shown = RemindForm(), url_for(f"{self.endpoint}.show", pk=pk)
        done = earlier_result(form, shown)
        if done is not None:
            return done
        try:
            if form.validate():
                return self._remind(item, form, shown)
        except Refused as refusal:
            db.session.rollback()
            done = earlier_result(form, shown)
            if done is not None:
                return done
            form.note.errors = [*form.note.errors, refusal.message]
        g.sent_reminder = form
        return self.show(pk)

    def _remind(self, item: DueItem, form: RemindForm, shown: str) -> Any:
        acting = g.get("appointment")
        remind(db.session(), item, acting.template if acting else "", form.note.data or "")
        keep_token(form, shown)
        db.session.commit()
        flash(_("The reminder is sent; it is kept with your name and the day."), "success")
        return redirect(shown)


def _told(item: DueItem) -> list[str]:
    """Return in words who was told of a thing, day by day."""
    rows = db.session.execute(
        select(Notification.made_on, Notification.step, Person.name, Appointment)
        .join(Appointment, Appointment.id == Notification.appointment_id)
        .join(Person, Person.id == Appointment.person_id)
        .where(Notification.due_item_id == item.id)
        .order_by(Notification.made_on, Notification.id)
    ).all()
    return [
        f"{made_on.isoformat()} {step_words(step)}: {name} · {office}"
        for made_on, step, name, office in rows
    ]


class ReminderView(ReadOnlyView):
    """List the reminders: who reminded whom of what, and when."""

    datamodel = BureauInterface(Reminder)
    route_base = "/reminder"
    noun = _l("Reminder")
    list_title = _l("Reminders")
    list_columns = ["reminded_on", "due_item", "township", "school", "person", "note"]
    show_columns = ["reminded_on", "due_item", "township", "school", "person", "note"]
    search_columns = ["reminded_on", "township", "school", "person"]
    base_order = ("reminded_on", "desc")
    label_columns = {
        "reminded_on": _l("Reminded on"),
        "due_item": _l("Reminded of"),
        "person": _l("Reminded by"),
        "note": _l("Remark to those who answer"),
    }


class DigestView(ReadOnlyView):
    """List the daily e-mails: which were sent, which wait, which failed and why."""

    datamodel = BureauInterface(Digest)
    route_base = "/digest"
    noun = _l("Daily e-mail")
    list_title = _l("Daily e-mails")
    list_columns = ["day", "person", "count", "state", "attempts", "error", "sent_at"]
    show_columns = ["day", "person", "count", "state", "attempts", "error", "sent_at"]
    search_columns = ["day", "state"]
    base_order = ("day", "desc")
    choices_columns = {
        "state": {
            str(DigestState.WAITING): _l("Waits to be sent"),
            str(DigestState.SENT): _l("Sent"),
            str(DigestState.FAILED): _l("Failed"),
        }
    }
    label_columns = {
        "count": _l("Notifications"),
        "attempts": _l("Attempts"),
        "error": _l("Last error"),
        "sent_at": _l("Sent at"),
    }


def add_views(appbuilder: AppBuilder) -> None:
    """Add what is to do to the daily work, the e-mails to the administration."""
    for view, icon in ((DueItemView, "fa-list-check"), (ReminderView, "fa-bullhorn")):
        appbuilder.add_view(
            view,
            view.__name__,
            label=view.list_title,
            icon=icon,
            category="Daily work",
            category_label=_l("Daily work"),
            category_icon="fa-briefcase",
        )
    appbuilder.add_view(
        DigestView,
        "DigestView",
        label=DigestView.list_title,
        icon="fa-envelope",
        category="Administration",
        category_label=_l("Administration"),
        category_icon="fa-gear",
    )
