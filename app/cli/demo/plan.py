"""Hold what the parts of the demonstration county know of each other: units, people, children."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from app.cli.demo.days import Days
from app.cli.demo.store import Row, Store
from app.cli.demo.words import NameMaker, Words
from app.models import County, Township


@dataclass(frozen=True, slots=True)
class Hand:
    """A made-up person under the appointment that he holds."""

    person_id: int
    appointment_id: int
    template: str
    name: str


@dataclass(slots=True)
class Town:
    """A township with its schools and staff."""

    row: Township
    weight: int
    schools: list[Campus] = field(default_factory=list)
    staff: dict[str, list[Hand]] = field(default_factory=dict)

    @property
    def scope(self) -> Row:
        """Return the scope columns of the township's own rows."""
        return {"county_id": self.row.county_id, "township_id": self.row.id, "school_id": None}


@dataclass(slots=True)
class Campus:
    """A school or teaching point with its classes and staff."""

    id: int
    town: Town
    name: str
    kind: str
    grades: tuple[int, ...]
    is_focus: bool
    is_boarding: bool
    parent: Campus | None
    villages: tuple[str, ...]
    classes: list[Room] = field(default_factory=list)
    leaders: list[Hand] = field(default_factory=list)
    clerks: list[Hand] = field(default_factory=list)
    care: float = 1.0
    """How much worse than others the school keeps its papers."""

    @property
    def scope(self) -> Row:
        """Return the scope columns of the school's rows."""
        row = self.town.row
        return {"county_id": row.county_id, "township_id": row.id, "school_id": self.id}

    def rooms(self, year_id: int) -> list[Room]:
        """Return the classes of a school year."""
        return [room for room in self.classes if room.year_id == year_id]


@dataclass(slots=True)
class Room:
    """A class of one school year."""

    id: int
    campus: Campus
    year_id: int
    name: str
    position: int
    grades: tuple[int, ...]
    teacher: Hand | None = None
    pupils: list[Pupil] = field(default_factory=list)


@dataclass(slots=True)
class Pupil:
    """A child of the county."""

    id: int
    name: str
    town: Town
    campus: Campus | None
    room: Room | None
    grade: int
    born_on: date
    village: str
    status: str = "enrolled"
    seated_to: date | None = None
    """The last day on which the child's seat was taken, where that has ended."""
    missing_from: date | None = None
    """From when on the child is away without explanation."""
    missing_to: date | None = None


@dataclass(slots=True)
class Bureau:
    """The people of the county itself, and the linked inspectors of each township."""

    staff: dict[str, list[Hand]] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """The county in the making."""

    county: County
    words: Words
    names: NameMaker
    store: Store
    days: Days
    seed: int
    towns: list[Town] = field(default_factory=list)
    bureau: Bureau = field(default_factory=Bureau)
    roles: dict[tuple[str, int | None], int] = field(default_factory=dict)
    """The key of each template's role, by township."""
    pupils: list[Pupil] = field(default_factory=list)

    def random(self, part: str) -> Random:
        """Return the random numbers of one part: another part does not disturb them."""
        return Random(f"{self.seed}/{part}")  # noqa: S311  # repeatable on purpose

    @property
    def campuses(self) -> list[Campus]:
        """Return all schools."""
        return [campus for town in self.towns for campus in town.schools]

    @property
    def scope(self) -> Row:
        """Return the scope columns of the county's own rows."""
        return {"county_id": self.county.id, "township_id": None, "school_id": None}
