"""Ask what opens an inspection: the unit, the day, and who takes part under which capacity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import Field, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from app import clock
from app.base import actor
from app.crud.fields import ChoiceWidget, DayField, LookupField, Required, trimmed
from app.models import Appointment, Inspection, Person, School, Township
from app.security.roles import CAPACITIES
from app.workflow import late
from app.workflow.capacity import capacities_of, refusal_of_attendant
from app.workflow.inspection import refusal_of_day
from app.workflow.kind import Attendant, Kind, Unit
from app.workflow.visit_day import refusal_of_school_day

ATTENDANTS = 8
ACCOMPANIES = ""


def _capacities(first: str) -> list[SelectChoice]:
    titles = {first: CAPACITIES.get(first, first), **CAPACITIES}
    accompanies = SelectChoice(ACCOMPANIES, _l("Accompanies, without an office"))
    return [accompanies, *(SelectChoice(key, title) for key, title in titles.items())]


class AttendantsForm(FlaskForm):
    """Hold one line for each person: who, and in which capacity."""

    def lines(self) -> Iterator[tuple[Field, Field]]:
        """Yield the fields of each line."""
        for number in range(1, ATTENDANTS + 1):
            yield self[f"person_{number}"], self[f"capacity_{number}"]

    def attendants(self) -> Sequence[Attendant]:
        """Return the people who were named, each once."""
        named: dict[int, Attendant] = {}
        for person, capacity in self.lines():
            if person.data is not None:
                named.setdefault(person.data.id, Attendant(person.data.id, capacity.data or None))
        return list(named.values())

    def complain_of_attendants(self, session: Session, unit: Unit, kind: Kind, day: Any) -> bool:
        """Name at each line why the person cannot take part so; tell if there is any complaint."""
        found = False
        for person, capacity in self.lines():
            if person.data is None:
                continue
            attendant = Attendant(person.data.id, capacity.data or None)
            reason = refusal_of_attendant(session, attendant, unit, day, CAPACITIES)
            if reason:
                capacity.errors = [*capacity.errors, reason]
                found = True
        if not self.attendants():
            first = self["person_1"]
            first.errors = [*first.errors, str(_l("Name at least one participant."))]
            found = True
        return found

    def fill_attendants(self, inspection: Inspection) -> None:
        """Show the people who are on the record."""
        for (person, capacity), part in zip(self.lines(), inspection.participants, strict=False):
            person.data, capacity.data = part.person, part.capacity or ACCOMPANIES

    def begin_with_actor(self, session: Session, kind: Kind) -> None:
        """Put the acting person on the first line, in his own capacity or that of the type."""
        person_id = actor.get().person_id
        person = session.get(Person, person_id) if person_id is not None else None
        acting = session.get(Appointment, actor.get().appointment_id or 0)
        own = (acting.capacity or acting.template) if acting is not None else kind.capacity
        capacity = own if own in kind.fill else kind.capacity
        self["person_1"].data, self["capacity_1"].data = person, capacity


class OpeningForm(AttendantsForm):
    """Ask for the unit and the day."""

    submit_token = HiddenField()
    school = LookupField(_l("School"), [Optional()], model=School)
    township = LookupField(
        _l("Township, where the township itself is inspected"), [Optional()], model=Township
    )
    occurred_on = DayField(_l("Date of the inspection"), [Required()], default=clock.today)
    theme = StringField(_l("Theme"), [Length(max=200)], filters=[trimmed])

    @property
    def place(self) -> School | Township | None:
        """Return the unit that was chosen."""
        return self.school.data or self.township.data

    def complain(self, session: Session, kind: Kind) -> bool:
        """Name at its field what keeps the record from being opened; tell if anything does."""
        self._complain_of_unit()
        place, day = self.place, self.occurred_on.data
        if place is not None and day is not None:
            reason = refusal_of_day(day, place)
            if reason is None and isinstance(place, School):
                reason = refusal_of_school_day(session, place, day)
            if reason is None and kind.self_inspection and isinstance(place, School):
                reason = late.refusal_of_entry(session, kind, place, day)
            if reason:
                self.occurred_on.errors = [*self.occurred_on.errors, reason]
            elif not kind.self_inspection:
                self.complain_of_attendants(session, Unit.of(place), kind, day)
        if kind.theme and not self.theme.data:
            self.theme.errors = [*self.theme.errors, str(_l("Enter the theme."))]
        return any(field.errors for field in self)

    def _complain_of_unit(self) -> None:
        if self.school.data is not None and self.township.data is not None:
            text = str(_l("Choose either a school or a township."))
            self.township.errors = [*self.township.errors, text]
        if self.place is None:
            self.school.errors = [*self.school.errors, str(_l("Choose the school."))]

    def own_attendant(self, session: Session, kind: Kind) -> Attendant | None:
        """Return the acting person as the one who checks, None where he holds no such office."""
        person_id, place, day = actor.get().person_id, self.place, self.occurred_on.data
        if person_id is None or place is None or day is None:
            return None
        held = capacities_of(session, person_id, Unit.of(place), day)
        return Attendant(person_id, kind.capacity) if kind.capacity in held else None


def attendant_fields(kind: Kind) -> dict[str, Any]:
    """Return the fields for people, to be added to a form class."""
    fields: dict[str, Any] = {}
    for number in range(1, ATTENDANTS + 1):
        fields[f"person_{number}"] = LookupField(_l("Participant"), [Optional()], model=Person)
        fields[f"capacity_{number}"] = SelectField(
            _l("Capacity"),
            choices=_capacities(kind.capacity),
            widget=ChoiceWidget(),
            default=ACCOMPANIES,
        )
    return fields


def opening_form(kind: Kind) -> type[OpeningForm]:
    """Return the form that opens an inspection of one type."""
    return type("InspectionOpeningForm", (OpeningForm,), attendant_fields(kind))
