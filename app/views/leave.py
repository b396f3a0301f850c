"""Keep the leave 请假 of children: the days, who asked, the call or the paper, the return 销假."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import inspect
from wtforms import Form

from app import clock
from app.base import Refused
from app.crud.base import BureauModelView
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import Leave
from app.views.attendance_form import KIND_WORDS
from app.workflow.attendance import LEAVE_KINDS
from app.workflow.leave import (
    explain_absences,
    is_carried,
    overlapping,
    refuse_too_late,
)

LEAVE_WORDS = {key: KIND_WORDS[key] for key in LEAVE_KINDS}
CARRYING = ("evidence_set_id", "called_on")


class LeaveInterface(BureauInterface):
    """Show in the list what carries a leave."""

    def get_values(self, lst: Sequence[Any], list_columns: list[str]) -> Iterator[dict[str, Any]]:
        """Yield the values of the list's columns."""
        for leave, shown in zip(lst, super().get_values(lst, list_columns), strict=True):
            if "evidence_set_id" in shown:
                shown["evidence_set_id"] = carried_badge(leave)
            yield shown


def carried_badge(leave: Leave) -> Markup:
    """Return in words what carries a leave, with a colour."""
    badge = Markup('<span class="badge-soft {}">{}</span>')
    if leave.evidence_set_id is not None:
        return badge.format("tone-success", _("Paper there"))
    if leave.called_on is not None:
        return badge.format("tone-info", _("Guardian called"))
    return badge.format("tone-warning", _("Neither paper nor call"))


class LeaveView(BureauModelView):
    """Keep leave from the first to the last day; it explains the absences of its days."""

    datamodel = BureauInterface(Leave)
    route_base = "/leave"
    noun = _l("Leave of a child")
    list_title = _l("Leave of children")
    list_columns = [
        "starts_on", "ends_on", "child", "school", "kind", "evidence_set_id", "returned_on",
    ]  # fmt: skip
    show_columns = [
        "child", "township", "school", "kind", "starts_on", "ends_on", "reason", "asked_by",
        "called_on", "call_note", "returned_on",
    ]  # fmt: skip
    add_columns = [
        "child", "kind", "starts_on", "ends_on", "reason", "asked_by", "called_on", "call_note",
        "evidence_set_id", "returned_on",
    ]  # fmt: skip
    edit_columns = add_columns[1:]
    search_columns = [
        "starts_on", "ends_on", "child", "school", "township", "kind", "returned_on",
    ]  # fmt: skip
    base_order = ("starts_on", "desc")
    exclude_route_methods = {"delete"}
    choices_columns = {"kind": LEAVE_WORDS}
    label_columns = {
        "child": _l("Pupil"),
        "kind": _l("Kind of leave"),
        "starts_on": _l("First day of the leave"),
        "ends_on": _l("Last day of the leave"),
        "reason": _l("Reason"),
        "asked_by": _l("Asked for by the guardian"),
        "called_on": _l("Guardian called on"),
        "call_note": _l("What the guardian said"),
        "returned_on": _l("Back at school on"),
        "evidence_set_id": _l("Leave paper"),
    }
    description_columns = {
        "evidence_set_id": _l("A paper or a recorded call carries the leave."),
    }

    def _take_model(self, datamodel: Any) -> None:
        self.datamodel = LeaveInterface(datamodel.obj, datamodel._session, self.choices_columns)

    def check(self, form: Form, item: Leave | None) -> None:
        """Keep the days in order and out of the future."""
        first, last, back = (form[name].data for name in ("starts_on", "ends_on", "returned_on"))
        if last < first:
            raise FieldRefused("ends_on", _("The last day lies before the first."))
        if back is not None and back < first:
            raise FieldRefused("returned_on", _("The return lies before the leave."))
        for name in ("called_on", "returned_on"):
            if form[name].data is not None and form[name].data > clock.today():
                raise FieldRefused(name, _("This day lies in the future."))
        if form.called_on.data is not None and not form.call_note.data:
            raise FieldRefused("call_note", _("Write down what the guardian said."))

    def pre_add(self, item: Leave) -> None:
        """Refuse a leave that comes too late, and two on the same day."""
        self._refuse(item)

    def pre_update(self, item: Leave) -> None:
        """Refuse a paper that comes too late, and two leaves on the same day."""
        history = inspect(item).attrs
        if any(history[name].history.has_changes() for name in (*CARRYING, "starts_on", "kind")):
            self._refuse(item)

    def _refuse(self, item: Leave) -> None:
        session, child = db.session(), item.child
        other = overlapping(session, item, child)
        if other is not None:
            text = _("The child has another leave from %(first)s to %(last)s.",
                     first=other.starts_on, last=other.ends_on)  # fmt: skip
            raise FieldRefused("starts_on", text)
        try:
            refuse_too_late(session, item, child)
        except Refused as refusal:
            raise FieldRefused("evidence_set_id", refusal.message) from None

    def saved(self, item: Leave, *, is_new: bool) -> None:
        """Let the leave explain the absences of its days."""
        if is_carried(item):
            explain_absences(db.session(), item)
