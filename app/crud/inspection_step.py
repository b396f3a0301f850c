"""Take the steps of an inspection record that need no form: confirm it, discard a draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from sqlalchemy.orm.exc import StaleDataError

from app.base import Refused
from app.crud.fab import Mixin
from app.extensions import db
from app.models import Inspection
from app.workflow import inspection as flow


class StepsMixin(Mixin):
    """Take a step on a record at the press of a button; a refusal changes nothing."""

    endpoint: str
    row: Callable[..., Any]
    saved: Callable[..., None]
    _refuse_referenced: Callable[[Any], None]

    @expose("/confirm/<pk>", methods=["POST"])
    @has_access
    @permission_name("show")
    def confirm(self, pk: str) -> Any:
        """Sign for the school 到校签收, or confirm one's own participation."""
        inspection = self.row(pk)

        def act() -> str:
            flow.confirm(db.session(), inspection)
            self.saved(inspection, is_new=False)
            return _("The inspection is confirmed.")

        here = url_for(f"{self.endpoint}.show", pk=pk)
        return self._step(act, here, here)

    @expose("/discard/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def discard(self, pk: str) -> Any:
        """Take back a draft that was opened by mistake."""
        inspection: Inspection = self.row(pk)

        def act() -> str:
            self._refuse_referenced(inspection)
            flow.discard(db.session(), inspection)
            return _("The draft was discarded.")

        list_ = url_for(f"{self.endpoint}.list")
        return self._step(act, list_, url_for(f"{self.endpoint}.show", pk=pk))

    def _step(self, act: Callable[[], str], done_url: str, refused_url: str) -> Any:
        """Act and commit; say what was done, or why it was not."""
        try:
            done = act()
            db.session.commit()
        except Refused as refusal:
            reason = refusal.message
        except StaleDataError:
            reason = _("Somebody else was faster. Look at what is there now, then decide again.")
        else:
            flash(done, "success")
            return redirect(done_url)
        db.session.rollback()
        flash(reason, "danger")
        return redirect(refused_url)
