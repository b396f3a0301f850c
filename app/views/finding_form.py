"""Hold the forms of the steps that a finding may take."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, ClassVar, Final

from flask_appbuilder.forms import DynamicForm
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional, ValidationError

from app import clock
from app.crud.fields import ChoiceWidget, DayField, PlainText, Required, trimmed
from app.crud.placement import place_of_reader
from app.files.field import EvidenceField
from app.models import STEP_TITLES

LONGEST_NOTE = 2_000
LONGEST_OPINION = 20_000
YES, NO = "yes", "no"


def _text(
    label: Any, *, is_required: bool, longest: int = LONGEST_NOTE, rows: int = 3
) -> TextAreaField:
    presence = Required() if is_required else Optional()
    return TextAreaField(
        label,
        validators=[presence, PlainText(lines=True), Length(max=longest)],
        filters=[trimmed],
        render_kw={"class": "form-control", "rows": rows},
    )


def _choice(label: Any, choices: list[tuple[str, Any]]) -> SelectField:
    return SelectField(
        label,
        choices=[SelectChoice("", ""), *(SelectChoice(key, title) for key, title in choices)],
        validators=[Required()],
        widget=ChoiceWidget(),
    )


def _new_token() -> str:
    return secrets.token_urlsafe(24)


class LoopForm(DynamicForm):
    """Act on the findings loop once, however often the form is sent."""

    key: ClassVar[str] = ""
    submit_token = HiddenField(default=_new_token)


class StepForm(LoopForm):
    """Ask for what one step needs."""

    steps: ClassVar[tuple[str, ...]] = ()
    """The steps of the table that the form can take."""
    heading: ClassVar[Any] = ""
    fields: ClassVar[tuple[str, ...]] = ()
    evidence: Any = None

    @property
    def step(self) -> str:
        """Return the step that the answers choose."""
        return self.steps[0]

    def shown(self) -> list[Any]:
        """Return the fields in the order of the page."""
        return [self[name] for name in self.fields]

    def title_of(self) -> Any:
        """Return the chosen step in words."""
        return STEP_TITLES[self.step]


class ObjectForm(StepForm):
    """Object to a finding."""

    key = "object"
    steps = ("object",)
    heading = _l("Object")
    fields = ("note", "evidence")
    note = _text(_l("Why the finding is wrong"), is_required=True)
    evidence = EvidenceField(_l("Evidence"), owner=place_of_reader)


class DecideForm(StepForm):
    """Decide an objection."""

    key = "decide"
    steps = ("uphold", "dismiss")
    heading = _l("Decide the objection")
    fields = ("decision", "note")
    decision = _choice(
        _l("Decision"), [("uphold", STEP_TITLES["uphold"]), ("dismiss", STEP_TITLES["dismiss"])]
    )
    note = _text(_l("Reasons"), is_required=True)

    @property
    def step(self) -> str:
        """Return the decision."""
        return str(self.decision.data)


class DoneForm(StepForm):
    """Say what was done, and prove it."""

    fields = ("note", "evidence")
    note = _text(_l("What was done"), is_required=True)
    evidence = EvidenceField(
        _l("Evidence"), owner=place_of_reader, description=_l("At least one file is needed.")
    )


class ClaimForm(DoneForm):
    """Claim that a finding is rectified."""

    key = "claim"
    steps = ("claim",)
    heading = _l("Report the rectification as done")


class CloseForm(DoneForm):
    """Close what the school found itself."""

    key = "close"
    steps = ("close",)
    heading = STEP_TITLES["close"]


class ReturnVisitForm(StepForm):
    """Record a return visit."""

    key = "return_visit"
    steps = ("verify", "reopen")
    heading = _l("Record a return visit")
    fields = ("visited_on", "on_site", "rectified", "note", "evidence")
    visited_on = DayField(_l("Visited on"), validators=[Required()])
    on_site = BooleanField(_l("The visit was on site"), default=True)
    rectified = _choice(_l("Is it rectified?"), [(YES, _l("Yes")), (NO, _l("No"))])
    note = _text(_l("What was seen"), is_required=True)
    evidence = EvidenceField(_l("Evidence"), owner=place_of_reader)

    @property
    def step(self) -> str:
        """Return what the visit led to."""
        return "verify" if self.is_rectified else "reopen"

    @property
    def is_rectified(self) -> bool:
        """Tell whether the visit saw the finding rectified."""
        return bool(self.rectified.data == YES)

    @property
    def is_on_site(self) -> bool:
        """Tell whether somebody went there."""
        return bool(self.on_site.data)

    @property
    def day(self) -> date | None:
        """Return the day of the visit."""
        return self.visited_on.data

    def validate_visited_on(self, field: DayField) -> None:
        """Refuse a visit that has not happened yet."""
        if field.data and field.data > clock.today():
            raise ValidationError(_("The day lies in the future."))


class AcceptForm(StepForm):
    """Accept the evidence of a rectification."""

    key = "accept"
    steps = ("accept",)
    heading = _l("Accept the evidence and close")
    fields = ("note",)
    note = _text(_l("Remark"), is_required=False)


class ServeForm(LoopForm):
    """Edit the opinion and serve it."""

    key = "serve"

    opinion = _text(_l("Opinion"), is_required=True, longest=LONGEST_OPINION, rows=12)


class ReceiptForm(LoopForm):
    """Sign for a feedback: there is nothing to fill in."""

    key = "receive"


FORMS: Final[Mapping[str, type[StepForm]]] = MappingProxyType(
    {
        form.key: form
        for form in (ObjectForm, DecideForm, ClaimForm, ReturnVisitForm, AcceptForm, CloseForm)
    }
)


def form_for(key: str, *, blank: bool = False) -> StepForm:
    """Return the form of a step, with what was sent unless it shall be blank."""
    form = FORMS[key]
    if not blank:
        return form(prefix=f"{key}-")
    made = form(formdata=None, prefix=f"{key}-")
    if isinstance(made, ReturnVisitForm):
        made.visited_on.data = clock.today()
    return made
