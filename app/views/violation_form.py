"""Ask what somebody says about a violation: noted, explained, or waived until a day."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms.validators import Optional

from app.crud.fields import DayField, Required
from app.models import ViolationState
from app.views.finding_form import LoopForm
from app.views.ledger_form import note_field


class ViolationForm(LoopForm):
    """Let a violation take a state."""

    state: ClassVar[ViolationState]
    heading: ClassVar[Any]
    note: Any
    until: Any = None

    def shown(self) -> list[Any]:
        """Return the fields in the order of the page."""
        return [self.note]


class AcknowledgeForm(ViolationForm):
    """Take note of a violation."""

    key = "acknowledge"
    state = ViolationState.ACKNOWLEDGED
    heading = _l("Take note")
    note = note_field(_l("Remark"), Optional())


class ExplainForm(ViolationForm):
    """Explain a violation."""

    key = "explain"
    state = ViolationState.EXPLAINED
    heading = _l("Explain")
    note = note_field(_l("How it came about, and what is done about it"), Required())


class WaiveForm(ViolationForm):
    """Waive a violation until a day."""

    key = "waive"
    state = ViolationState.WAIVED
    heading = _l("Waive until a day")
    note = note_field(_l("Why it is waived"), Required())
    until = DayField(
        _l("Waived until"),
        [Required()],
        description=_l("Afterwards it stands again by itself. One year at most."),
    )

    def shown(self) -> list[Any]:
        """Return the fields in the order of the page."""
        return [self.note, self.until]


FORMS: tuple[type[ViolationForm], ...] = (AcknowledgeForm, ExplainForm, WaiveForm)
