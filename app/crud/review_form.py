"""Ask on the form of an outside visit whether what the school closed by itself holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from app.checklists.forms import ChecklistForm
from app.checklists.kind import TEXT_LENGTH, trimmed
from app.models import ReviewOutcome
from app.workflow.review import Drawn, note_outcome

NOT_LOOKED_AT = "unchecked"
OUTCOMES: Mapping[str, Any] = {
    ReviewOutcome.HOLDS: _l("Holds"),
    ReviewOutcome.FAILS: _l("Does not hold"),
    NOT_LOOKED_AT: _l("Not looked at"),
}


class ReviewForm(ChecklistForm):
    """The part of an inspection form on findings that are drawn for the visit."""

    drawn: ClassVar[Sequence[Drawn]] = ()

    def outcome_of(self, one: Drawn) -> Field:
        """Return the field that asks what the visit saw."""
        return self[f"review_{one.review.id}_outcome"]

    def reason_of(self, one: Drawn) -> Field:
        """Return the field for the reason."""
        return self[f"review_{one.review.id}_note"]

    def store(self) -> None:
        """Keep everything typed in the record."""
        super().store()
        for one in self._asked():
            outcome = self.outcome_of(one).data
            seen = outcome if outcome in set(ReviewOutcome) else None
            note_outcome(one.review, seen, self.reason_of(one).data or None)

    def complain(self) -> bool:
        """Ask for the reason wherever a closing does not hold."""
        found = super().complain()
        for one in self._asked():
            reason = self.reason_of(one)
            if self.outcome_of(one).data == ReviewOutcome.FAILS and not reason.data:
                reason.errors = [*reason.errors, _("Say what does not hold.")]
                found = True
        return found

    def _asked(self) -> list[Drawn]:
        return [one for one in self.drawn if one.is_open]


def review_fields(drawn: Sequence[Drawn]) -> dict[str, Any]:
    """Return what :class:`ReviewForm` needs for these findings, to be added to a form class."""
    words = [SelectChoice(str(key), title) for key, title in OUTCOMES.items()]
    fields: dict[str, Any] = {"drawn": drawn}
    for one in drawn:
        if not one.is_open:
            continue
        key = f"review_{one.review.id}"
        fields[f"{key}_outcome"] = RadioField(
            str(one.review), choices=words, default=one.review.outcome or NOT_LOOKED_AT
        )
        fields[f"{key}_note"] = TextAreaField(
            _l("What the visit saw"),
            [Length(max=TEXT_LENGTH)],
            filters=[trimmed],
            default=one.review.note,
        )
    return fields
