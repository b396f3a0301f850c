"""Store a form once, however often it is sent: its token remembers where the first sending led."""

from __future__ import annotations

import secrets

from flask import flash, redirect
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import bindparam, insert, select
from werkzeug.wrappers import Response
from wtforms import Form

from app import clock
from app.extensions import db
from app.models import SubmitToken
from app.security.scope import table_of

LONGEST_TOKEN = 64
_token = table_of(SubmitToken)
# On the table: every form asks for its token and leaves it, and it belongs to nobody's scope.
USED = select(_token.c.user_id, _token.c.result_url).where(_token.c.token == bindparam("sent"))
KEEP = insert(_token)


def give_token(form: Form) -> None:
    """Give a form that is about to be shown its token; one that came back keeps its own."""
    form.submit_token.data = form.submit_token.data or new_token()


def new_token() -> str:
    """Return a token for a form."""
    return secrets.token_urlsafe(24)


def earlier_result(form: Form, otherwise: str) -> Response | None:
    """Return the way to what an earlier sending of the same form made; None where there is none."""
    token = form.submit_token.data
    if not token or len(token) > LONGEST_TOKEN:
        return None
    used = db.session.connection().execute(USED, {"sent": token}).first()
    if used is None or used.user_id != _user_id():
        return None
    flash(_("This form was sent twice; the record was stored once."), "info")
    return redirect(used.result_url or otherwise)


def keep_token(form: Form, url: str) -> None:
    """Remember in the transaction of a form where it led."""
    token = form.submit_token.data
    if token and len(token) <= LONGEST_TOKEN:
        used = {"token": token, "user_id": _user_id(), "used_at": clock.now(), "result_url": url}
        db.session.connection().execute(KEEP, used)


def _user_id() -> int | None:
    return current_user.id if current_user.is_authenticated else None
