"""Hold what views of rows with steps share: who acts, and how a step is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, g, redirect, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from app.base import Refused
from app.crud.base import BureauModelView, ReadOnlyView
from app.extensions import db
from app.views.finding_form import LoopForm
from app.views.finding_label import LABELS
from app.workflow.party import Hand, hand_of


class StepView(BureauModelView):
    """Show rows that take steps; a refused step changes nothing and keeps what was typed."""

    def page_of(self, row: Any, sent: LoopForm | None = None) -> Any:
        """Return the page of a row, with the form that was sent where it comes back."""
        raise NotImplementedError

    def hand(self) -> Hand:
        """Return who acts."""
        return hand_of(g.get("appointment"))

    def take(self, row: Any, form: LoopForm, act: Callable[[Any], str]) -> Any:
        """Act on a row with a form; a refusal brings the page back with everything typed.

        What `act` returns is what the user is told when it is done. A form that is sent again
        leads to what it did.
        """
        before = self._result_of(form)
        if before is not None:
            return before
        if not form.validate():
            return self.page_of(row, form)
        key = row.id
        url = url_for(f"{self.endpoint}.show", pk=key)
        try:
            done = act(row)
            self._keep_token(form, url)
            db.session.commit()
        except Refused as refused:
            reason = refused.message
        except IntegrityError:
            db.session.rollback()
            before = self._result_of(form)
            if before is None:
                raise
            return before
        except StaleDataError:
            reason = _("Somebody else was faster. Look at what is there now, then decide again.")
        else:
            flash(done, "success")
            return redirect(url)
        db.session.rollback()
        return self._result_of(form) or self._page_again(key, form, reason)

    def _page_again(self, key: int, form: LoopForm, reason: str) -> Any:
        form.form_errors.append(reason)
        return self.page_of(self.row(key, self.show_columns), form)


class LoopView(StepView, ReadOnlyView):
    """Show rows of the findings loop."""

    label_columns = LABELS
