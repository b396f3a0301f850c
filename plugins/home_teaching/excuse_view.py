"""Ask to excuse a month of home teaching, and let the township decide on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect
from flask_appbuilder.actions import action
from wtforms import Form

from app.kit import BureauModelView, FieldRefused, Refused, _, _l, actor, interface, now

from .models import Case, Excuse
from .spans import overlapping
from .words import APPROVED, EXCUSES, REFUSED, REQUESTED, STATES


class HomeTeachingExcuseView(BureauModelView):
    """Ask to excuse a month in which a child could not be taught, and decide on it."""

    datamodel = interface(Excuse)
    route_base = "/home-teaching/excuses"
    noun = _l("Excused month")
    list_title = _l("Excused months of home teaching")
    list_columns = ["child", "school", "month", "reason", "state", "decided_by"]
    show_columns = [
        "child", "township", "school", "month", "reason", "note", "state", "decided_by",
        "decided_at",
    ]  # fmt: skip
    add_columns = ["child", "month", "reason", "note", "evidence_set_id"]
    edit_columns = ["month", "reason", "note", "evidence_set_id"]
    search_columns = ["child", "school", "township", "month", "reason", "state"]
    base_order = ("month", "desc")
    choices_columns = {"reason": EXCUSES, "state": STATES}
    formatters_columns = {"month": lambda day: f"{day:%Y-%m}"}
    label_columns = {
        "month": _l("Month"),
        "reason": _l("Why the child cannot be taught"),
        "note": _l("Details"),
        "decided_by": _l("Decided by"),
        "decided_at": _l("Decided at"),
        "evidence_set_id": _l("Proof"),
    }
    description_columns = {
        "month": _l("Any day of the month."),
        "evidence_set_id": _l("Paper of the hospital, proof of the stay, or the written refusal."),
    }

    def check(self, form: Form, item: Excuse | None) -> None:
        """Ask for a proof, and for a month in which the child is taught at home."""
        proof = form.evidence_set_id
        if not any(file.id not in proof.dropped for file in proof.files):
            raise FieldRefused(
                "evidence_set_id", _("Add the proof: without it nothing is excused.")
            )
        child = form.child.data if item is None else item.child
        first = form.month.data.replace(day=1)
        following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        if (
            self.datamodel.session.scalar(overlapping(Case, child.id, first, following, None))
            is None
        ):
            raise FieldRefused("month", _("The child is not taught at home in this month."))

    def pre_add(self, item: Excuse) -> None:
        """Keep the first day of the month, which stands for it."""
        item.month = item.month.replace(day=1)

    def pre_update(self, item: Excuse) -> None:
        """Let a changed request wait for the township anew; what it approved stays."""
        if item.state == APPROVED:
            raise Refused(_("The township approved this month; it stays as it is."))
        self.pre_add(item)
        item.state, item.decided_by_id, item.decided_at = REQUESTED, None, None

    def pre_delete(self, item: Excuse) -> None:
        """Keep what the township approved."""
        if item.state == APPROVED:
            raise Refused(_("The township approved this month; it stays as it is."))

    @action("approve", _l("Approve"), _l("Excuse these months?"), "fa-check")
    def approve(self, items: Any) -> Any:
        """Take the months out of what is required of the school."""
        return self._decide(items, APPROVED)

    @action("refuse", _l("Do not approve"), _l("Refuse to excuse these months?"), "fa-xmark")
    def refuse(self, items: Any) -> Any:
        """Leave the months as they are."""
        return self._decide(items, REFUSED)

    def _decide(self, items: Any, state: str) -> Any:
        chosen: Sequence[Excuse] = items if isinstance(items, list) else [items]
        decider = actor.get()
        for item in chosen:
            if item.state != REQUESTED:
                raise Refused(_("“%(row)s” is decided already.", row=item))
            if item.created_by_id == decider.user_id:
                raise Refused(
                    _("Nobody decides on what he asked for himself: “%(row)s”.", row=item)
                )
            item.state, item.decided_at = state, now()
            item.decided_by_id = decider.person_id
        self.datamodel.session.commit()
        flash(_("Decided: %(count)s months.", count=len(chosen)), "success")
        return redirect(self._back())
