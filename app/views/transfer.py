"""Keep transfers 转学, and let the receiver confirm who has arrived 到校确认."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, g, redirect, url_for
from flask_appbuilder import AppBuilder, expose, has_access
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form, HiddenField

from app import clock
from app.base import Refused
from app.crud.base import BureauModelView
from app.crud.fab import BaseView
from app.crud.fields import DayField, Required
from app.crud.interface import BureauInterface, key_of
from app.crud.once import earlier_result, give_token, keep_token
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import Transfer
from app.security import audit
from app.workflow import transfer as transfers

OUTSIDE_MARK = "*"


class DayForm(DynamicForm):
    """Ask for the day of the arrival."""

    submit_token = HiddenField()
    day = DayField(_l("Arrived on"), validators=[Required()])


class TransferView(BureauModelView):
    """Keep the transfers of the sender's children."""

    datamodel = BureauInterface(Transfer)
    noun = _l("Transfer")
    list_title = _l("Transfers")
    list_columns = ["started_on", "child", "school", "to_place", "arrived_on", "cancelled_on"]
    show_columns = [
        "child", "township", "school", "to_place", "started_on", "basis", "arrived_on",
        "confirmed_by", "cancelled_on", "evidence_set_id", "created_at",
    ]  # fmt: skip
    add_columns = ["child", "to_place", "started_on", "basis", "evidence_set_id"]
    edit_columns = ["basis", "evidence_set_id"]
    search_columns = [
        "child", "school", "township", "to_place", "started_on", "arrived_on", "cancelled_on",
    ]  # fmt: skip
    base_order = ("started_on", "desc")
    exclude_route_methods = {"delete"}
    show_template = "transfer/show.html"
    label_columns = {
        "to_place": _l("Receiving school"),
        "started_on": _l("Left on"),
        "basis": _l("Basis"),
        "arrived_on": _l("Arrived on"),
        "confirmed_by": _l("Confirmed by"),
        "cancelled_on": _l("Cancelled on"),
    }
    description_columns = {
        "to_place": _l(
            "Full name or code of the school. Begin with * for a school outside the county."
        ),
        "evidence_set_id": _l("Proof that the child attends there."),
    }

    def check(self, form: Form, item: Transfer | None) -> None:
        """Find the receiving school by what was typed."""
        if item is not None:
            return
        typed = form.to_place.data or ""
        if typed.startswith(OUTSIDE_MARK):
            g.receiver = None
            return
        g.receiver = transfers.find_school(db.session(), typed)
        if g.receiver is None:
            raise FieldRefused("to_place", _("No school of the county has this name or code."))

    def pre_add(self, item: Transfer) -> None:
        """Begin the transfer at the child's present school."""
        receiver = g.receiver
        child = item.child
        item.to_place = receiver.name if receiver else item.to_place.lstrip(OUTSIDE_MARK).strip()
        item.to_school_id = receiver.id if receiver else None
        item.county_id, item.township_id = child.county_id, child.township_id
        item.school_id = child.school_id
        try:
            transfers.start(db.session(), item)
        except Refused as refusal:
            raise FieldRefused("child", refusal.message) from None

    @expose("/settle/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def settle(self, pk: str) -> Any:
        """Note that a child attends outside the county."""
        return self._end(pk, lambda row: transfers.leave_county(db.session(), row, clock.today()))

    @expose("/cancel/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def cancel(self, pk: str) -> Any:
        """Note that a child has stayed."""
        return self._end(pk, lambda row: transfers.cancel(db.session(), row))

    def _end(self, pk: str, act: Callable[[Transfer], None]) -> Any:
        row = self.row(pk)
        return _act(url_for(f"{self.endpoint}.show", pk=pk), lambda: act(row))

    def shown(self, item: Transfer) -> None:
        """Remember the row for the template."""
        g.shown_transfer = item

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Add the row to its page."""
        if template == self.show_template:
            kwargs["transfer"] = g.get("shown_transfer")
        return super().render_template(template, **kwargs)


class ArrivalView(BaseView):
    """List the children who are on the way to the reader's schools; confirm their arrival."""

    route_base = "/arrivals"
    default_view = "list"

    @expose("/", methods=["GET"])
    @has_access
    def list(self) -> Any:
        """Show who has not arrived yet, the longest on the way first."""
        form = DayForm(formdata=None)
        form.day.data = clock.today()
        give_token(form)
        self.update_redirect()
        return self.render_template(
            "transfer/arrivals.html",
            title=_("Arrivals to confirm"),
            rows=transfers.arrivals(db.session()),
            form=form,
            today=clock.today(),
        )

    @expose("/confirm/<pk>", methods=["POST"])
    @has_access
    @permission_name("confirm")
    def confirm(self, pk: str) -> Any:
        """Confirm that a child has arrived, and on which day."""
        form, url = DayForm(), url_for(f"{self.endpoint}.list")
        before = earlier_result(form, url)
        if before is not None:
            return before
        day = form.day.data if form.validate() else None
        if day is None:
            flash(_("Give the day of the arrival."), "danger")
            return redirect(url)

        def arrive() -> None:
            if transfers.confirm(db.session(), key_of(pk) or 0, day) is None:
                audit.record("refuse", table="transfer", note=f"key {pk[:20]}")
                abort(404)
            keep_token(form, url)

        return _act(url, arrive)


def _act(url: str, act: Callable[[], None]) -> Any:
    """Act, store it or say why not, and lead on."""
    try:
        act()
        db.session.commit()
    except Refused as refusal:
        db.session.rollback()
        flash(refusal.message, "danger")
    else:
        flash(_("It is noted."), "success")
    return redirect(url)


def add_views(appbuilder: AppBuilder) -> None:
    """Add the transfers beside the children."""
    place = {"category": "Children", "category_label": _l("Children")}
    label = TransferView.list_title
    appbuilder.add_view(TransferView, "TransferView", label=label, icon="fa-right-left", **place)
    label = _l("Arrivals to confirm")
    icon = "fa-person-circle-check"
    appbuilder.add_view(ArrivalView, "ArrivalView", label=label, icon=icon, **place)
