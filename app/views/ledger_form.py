"""Ask how a ledger entry is closed, and what was checked before it is confirmed."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField
from wtforms.validators import Length, Optional

from app.crud.fields import LookupField, PlainText, Required, trimmed
from app.crud.placement import place_of_reader
from app.files.field import EvidenceField
from app.models import Code
from app.views.finding_form import LoopForm

LONGEST_NOTE = 500


def note_field(label: Any, presence: Any) -> TextAreaField:
    """Return a field for a longer remark."""
    return TextAreaField(
        label,
        [presence, PlainText(lines=True), Length(max=LONGEST_NOTE)],
        filters=[trimmed],
        render_kw={"class": "form-control", "rows": 3},
    )


class CloseEntryForm(LoopForm):
    """Ask for the reason and the proof of a closing 销号."""

    key = "close"
    heading = _l("Close the entry")
    reason = LookupField(
        _l("Reason for the closing"),
        [Required()],
        model=Code,
        narrow={"domain": "ledger_closing"},
    )
    note = note_field(_l("Remark"), Optional())
    evidence = EvidenceField(
        _l("Proof"), owner=place_of_reader, description=_l("At least one file is needed.")
    )

    def shown(self) -> list[Any]:
        """Return the fields in the order of the page."""
        return [self.reason, self.note, self.evidence]


class ConfirmEntryForm(LoopForm):
    """Ask what was checked before an entry is confirmed 认定."""

    key = "confirm"
    heading = _l("Confirm the entry")
    note = note_field(_l("What was checked, and the result"), Required())

    def shown(self) -> list[Any]:
        """Return the fields in the order of the page."""
        return [self.note]
