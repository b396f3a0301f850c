"""Say what the workflow knows of an inspection type, of what is inspected and of who takes part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.models import Inspection, School, Township


class Kind(Protocol):
    """What the workflow needs to know of an inspection type."""

    key: str
    title: str
    checklist: str
    capacity: str
    theme: bool
    draw_classes: bool
    self_inspection: bool
    fill: tuple[str, ...]
    """Role templates that fill the record: all of them inspect, whether or not it counts."""
    model: type[Inspection]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is inspected: a school, or a township itself."""

    county_id: int
    township_id: int
    school_id: int | None
    is_focus: bool = False

    @classmethod
    def of(cls, place: School | Township) -> Unit:
        """Return the unit of a school or a township."""
        if isinstance(place, School):
            return cls(place.county_id, place.township_id, place.id, place.is_focus)
        return cls(place.county_id, place.id, None)

    def columns(self) -> dict[str, int | None]:
        """Return the scope columns of rows about this unit."""
        return {
            "county_id": self.county_id,
            "township_id": self.township_id,
            "school_id": self.school_id,
        }


@dataclass(frozen=True, slots=True)
class Attendant:
    """A person who takes part, under the capacity chosen for him; without one he accompanies."""

    person_id: int
    capacity: str | None
