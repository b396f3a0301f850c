"""Show the audit trail 审计记录 and the files of evidence."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_appbuilder.security.sqla.models import User
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy import select

from app.crud.base import BureauModelView, ReadOnlyView
from app.crud.interface import BureauInterface
from app.extensions import db
from app.models import Change, EvidenceFile
from app.words import declare, words

ACTIONS = {
    "insert": _l("Entered"),
    "update": _l("Changed"),
    "delete": _l("Deleted"),
    "refuse": _l("Refused"),
    "login": _l("Signed in"),
    "login_failed": _l("Failed to sign in"),
    "logout": _l("Signed out"),
    "read": _l("Read"),
    "reveal": _l("Numbers revealed"),
    "print": _l("Printed"),
    "export": _l("Exported"),
    "import": _l("Imported"),
    "undo": _l("Import taken back"),
    "act": _l("Chose an office"),
    "password": _l("Changed the password"),
    "account": _l("Managed an account"),
}
declare("action", ACTIONS.get)
NOTES = (
    _l("outside the scope"),
    _l("unknown, closed or locked"),
    _l("not the user's own"),
    _l("created"),
    _l("locked"),
    _l("unlocked"),
    _l("closed"),
    _l("reopened"),
    _l("address of the daily e-mail"),
)
"""What the trail says by itself, so that it has words in every language."""

UNSHOWN = {
    "account": _l("Login of an account"),
    "ab_role": _l("Role"),
    "ab_user_role": _l("Role of an account"),
    "answer": _l("Answer to an item"),
    "answer_child": _l("Answer about a child"),
    "appointment_school": _l("School of an appointment"),
    "class_grade": _l("Grade of a class"),
    "class_line": _l("Count of a class"),
    "evidence_set": _l("Set of evidence"),
    "import_batch": _l("Imported file"),
    "inspection_participant": _l("Participant of an inspection"),
    "ledger_confirmation": _l("Confirmation of a ledger entry"),
    "role_scope": _l("Role of a township"),
    "violation_step": _l("Step taken about a violation"),
}
"""What rows are called whose table has no screen of its own."""


def noun_of(table: str | None) -> Markup:
    """Return what the screens call a row of a table; its name where no screen shows it."""
    for view in current_app.extensions["appbuilder"].baseviews:
        model = view.datamodel.obj if isinstance(view, BureauModelView) else None
        # The types of inspections share one table: the list over all of them speaks for it.
        if model is not None and model.__tablename__ == table and not model.__mapper__.inherits:
            return escape(view.noun)
    return escape(UNSHOWN.get(table or "", table) or "—")


declare("table", noun_of)


class ChangeView(ReadOnlyView):
    """Show who changed, read or was refused what, and when."""

    datamodel = BureauInterface(Change)
    noun = _l("Entry of the audit trail")
    list_title = _l("Audit trail")
    list_columns = ["at", "user_id", "action", "table_name", "row_id", "address", "note"]
    show_columns = [
        "at", "user_id", "action", "table_name", "row_id", "before", "after", "note", "address",
        "chain",
    ]  # fmt: skip
    search_columns = ["at", "user_id", "action", "table_name", "row_id", "address"]
    base_order = ("id", "desc")
    choices_columns = {"action": ACTIONS}
    formatters_columns = {"table_name": noun_of, "note": words}
    label_columns = {
        "at": _l("Time"),
        "user_id": _l("Account"),
        "action": _l("Action"),
        "table_name": _l("Kind of record"),
        "row_id": _l("Record number"),
        "before": _l("Before"),
        "after": _l("After"),
        "address": _l("Address"),
        "chain": _l("Chain"),
    }

    def _get_list_widget(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Name the accounts of a page in one statement."""
        widgets = super()._get_list_widget(*args, **kwargs)
        rows = widgets["list"].template_args["value_columns"]
        names = _names({row["user_id"] for row in rows})
        for row in rows:
            row["user_id"] = names.get(row["user_id"], row["user_id"])
        return widgets

    def _get_show_widget(self, pk: Any, item: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Name the account."""
        widgets = super()._get_show_widget(pk, item, *args, **kwargs)
        values = widgets["show"].template_args["value_columns"]
        names = _names({item.user_id})
        values[self.show_columns.index("user_id")] = names.get(item.user_id, item.user_id)
        return widgets


def _names(accounts: set[int | None]) -> dict[int, str]:
    """Return the names of accounts by key."""
    users, keys = User.__table__.c, accounts - {None}
    found = select(users.id, users.last_name, users.first_name).where(users.id.in_(keys))
    rows = db.session.execute(found) if keys else ()
    return {key: f"{last}{first}" for key, last, first in rows}


class EvidenceFileView(ReadOnlyView):
    """Show the files of evidence; they are added to and read from the records they belong to."""

    datamodel = BureauInterface(EvidenceFile)
    noun = _l("Evidence file")
    list_title = _l("Evidence files")
    list_columns = ["name", "media_type", "size", "township", "school", "taken_at", "created_at"]
    show_columns = [
        "name", "media_type", "size", "township", "school", "taken_at", "created_at",
        "original_sha256", "stored_sha256",
    ]  # fmt: skip
    search_columns = ["name", "media_type", "township", "school", "taken_at", "created_at"]
    base_order = ("id", "desc")
    label_columns = {
        "media_type": _l("Kind of file"),
        "size": _l("Size in bytes"),
        "taken_at": _l("Taken at"),
        "original_sha256": _l("Hash of the original"),
        "stored_sha256": _l("Hash as stored"),
    }
