"""The inbox 收件箱: what each office was told, unread first, with the way to the thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort, flash, g, redirect, request, url_for
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Row, Select, select, update
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import Email, Length, Optional

from app import clock
from app.cadence.calendar import Calendar, load_calendars
from app.crud.fields import trimmed
from app.crud.interface import key_of
from app.extensions import db
from app.models import Account, DueItem, Notification, Person, Reminder, School, Township
from app.notices import mail
from app.notices.due import DueKind, due_kinds
from app.notices.notify import SOON, overdue_days
from app.notices.remind import STEP
from app.security import audit
from app.security.scope import table_of
from app.views.due import Due
from app.views.due_item import item_title, step_words, thing_url

PAGE = 30
LONGEST_ADDRESS = 200
LAST_PAGE = 10_000
_TOLD = table_of(Notification)


@dataclass(frozen=True, slots=True)
class Message:
    """A notification as its reader sees it."""

    id: int
    made_on: date
    is_read: bool
    step: str
    tone: str
    title: str
    place: str
    due: Due
    needed: int | None
    note: str | None
    reminded_by: str | None
    is_ended: bool


class EmailForm(DynamicForm):
    """Ask for the address of the daily e-mail."""

    address = StringField(
        _l("E-mail address"),
        [Optional(), Length(max=LONGEST_ADDRESS), Email(_l("This is no e-mail address."))],
        filters=[trimmed],
        description=_l(
            "Every morning it gets the number of new reminders, never names. Leave it empty for no "
            "e-mails."
        ),
        render_kw={"class": "form-control", "type": "email", "autocomplete": "email"},
    )


class InboxView(BaseView):
    """Show the acting office what it was told; nobody reads another office's inbox."""

    route_base = "/inbox"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> str:
        """List the notifications of the acting office, unread ones first."""
        page = _page()
        rows = db.session.execute(_messages().limit(PAGE + 1).offset(page * PAGE)).all()
        return str(
            self.render_template(
                "inbox.html",
                title=_("Inbox"),
                messages=list(_shown(rows[:PAGE])),
                unread=g.appointment.unread if g.get("appointment") else 0,
                page=page,
                is_last=len(rows) <= PAGE,
            )
        )

    @expose("/open/<pk>", methods=["POST"])
    @has_access
    @permission_name("list")
    def open(self, pk: str) -> Response:
        """Mark a notification as read and go to the thing, where the reader may see it."""
        found = db.session.execute(
            select(Notification.id, DueItem.id, DueItem.kind_key, DueItem.subject_id)
            .join(DueItem, DueItem.id == Notification.due_item_id)
            .where(Notification.id == (key_of(pk) or 0), *_own())
        ).first()
        if found is None:
            abort(404)
        key, _item_id, kind_key, subject_id = found
        _read(_TOLD.c.id == key)
        url = thing_url(_kinds().get(kind_key), subject_id)
        if url is None:
            flash(_("Your office may not open this record itself."), "info")
        return redirect(url or url_for("InboxView.list"))

    @expose("/read", methods=["POST"])
    @has_access
    @permission_name("list")
    def read(self) -> Response:
        """Mark everything as read."""
        count = _read()
        flash(_("Marked as read: %(count)s.", count=count), "success")
        return redirect(url_for("InboxView.list"))

    @expose("/email", methods=["GET", "POST"])
    @has_access
    @permission_name("list")
    def email(self) -> Response | str:
        """Show and change the address to which a day's notifications are summed up."""
        form = EmailForm()
        if form.validate_on_submit():
            _keep_address(form.address.data or None)
            flash(_("Saved."), "success")
            return redirect(url_for("InboxView.list"))
        if request.method == "GET":
            form.address.data = _address()
        return str(
            self.render_template(
                "inbox_email.html",
                title=_("Daily e-mail"),
                form=form,
                is_configured=mail.is_configured(),
            )
        )


def _address() -> str | None:
    account = table_of(Account)
    query = select(account.c.digest_to).where(account.c.user_id == g.user_id)
    return db.session.connection().scalar(query)


def _keep_address(address: str | None) -> None:
    """Keep the own address; the trail says that it changed."""
    account = table_of(Account)
    own = account.c.user_id == g.user_id
    db.session.connection().execute(update(account).where(own).values(digest_to=address))
    audit.record("account", table="ab_user", row_id=g.user_id, note="address of the daily e-mail")
    db.session.commit()


def _own() -> tuple[Any, ...]:
    """Return the condition of what was told to the acting office; nothing without one."""
    acting = g.get("appointment")
    return (Notification.appointment_id == (acting.id if acting else 0),)


def _read(*conditions: Any) -> int:
    """Mark what this office has not read as read; return how much that was."""
    acting = g.get("appointment")
    changed = db.session.connection().execute(
        update(_TOLD)
        .where(
            _TOLD.c.appointment_id == (acting.id if acting else 0),
            _TOLD.c.read_at.is_(None),
            *conditions,
        )
        .values(read_at=clock.now())
    )
    db.session.commit()
    return int(changed.rowcount)


def _messages() -> Select:
    return (
        select(
            Notification.id,
            Notification.made_on,
            Notification.read_at,
            Notification.step,
            DueItem.kind_key,
            DueItem.topic,
            DueItem.county_id,
            DueItem.due_on,
            DueItem.in_term,
            DueItem.needed,
            DueItem.ended_on,
            Township.name.label("township"),
            School.name.label("school"),
            Reminder.note,
            Person.name.label("reminded_by"),
        )
        .join(DueItem, DueItem.id == Notification.due_item_id)
        .join(Township, Township.id == Notification.township_id)
        .outerjoin(School, School.id == Notification.school_id)
        .outerjoin(Reminder, Reminder.id == Notification.reminder_id)
        .outerjoin(Person, Person.id == Reminder.person_id)
        .where(*_own())
        .order_by(
            Notification.read_at.is_not(None), Notification.made_on.desc(), Notification.id.desc()
        )
    )


def _shown(rows: Sequence[Row[Any]]) -> Iterator[Message]:
    today, kinds = clock.today(), _kinds()
    late = [row.due_on for row in rows if row.due_on < today and row.ended_on is None]
    calendars: Mapping[int, Calendar] = (
        load_calendars(db.session(), min(late), today) if late else {}
    )
    for row in rows:
        calendar = calendars.get(row.county_id, Calendar())
        overdue = overdue_days(calendar, row, today) if row.ended_on is None else 0
        yield Message(
            row.id,
            row.made_on,
            row.read_at is not None,
            step_words(row.step),
            _tone(row.step),
            item_title(kinds.get(row.kind_key), row),
            row.school or row.township,
            Due(row.due_on, overdue),
            row.needed,
            row.note,
            row.reminded_by if row.step.startswith(STEP) else None,
            row.ended_on is not None,
        )


def _tone(step: str) -> str:
    if step == SOON:
        return "info"
    return "warning" if step.startswith(STEP) else "danger"


def _kinds() -> dict[str, DueKind]:
    return {kind.key: kind for kind in due_kinds()}


def _page() -> int:
    """Return the page that was asked for; the first where it makes no sense."""
    text = request.args.get("page", "")
    is_number = text.isascii() and text.isdecimal() and len(text) < len(str(LAST_PAGE))
    return int(text) if is_number else 0


def add_views(appbuilder: AppBuilder) -> None:
    """Add the page; the bell in the frame of every page leads there."""
    appbuilder.add_view_no_menu(InboxView)
