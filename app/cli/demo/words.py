"""Read the words of the demonstration county, and put names together from them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from pydantic import BaseModel, ConfigDict

THREE_CHARACTERS = 0.8
"""Share of names with two given characters."""
ATTEMPTS = 40


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Names(_Section):
    """Hold the characters that names are made of."""

    surnames: str
    given: str


class SchoolWords(_Section):
    """Hold the words for schools, classes and villages."""

    words: str
    junior_high: str
    nine_year: str
    primary: str
    central: str
    teaching_point: str
    class_name: str
    multigrade_name: str
    grades: tuple[str, ...]
    villages: str
    village: str
    address: str


class Contacts(_Section):
    """Hold the notes about contacts."""

    duties: str
    leave: str
    unexplained: str


class Notes(_Section):
    """Hold the notes that inspectors write."""

    ledger: str
    paper_missing: str
    absent: str
    spare: str
    kept: str
    counted: str
    late: str
    redraw: str
    text: str
    theme: tuple[str, ...]
    correction: str


class Failures(_Section):
    """Hold what is wrong, by field kind."""

    plain: tuple[str, ...]
    document: tuple[str, ...]
    pair: tuple[str, ...]
    choice: tuple[str, ...]
    roster: tuple[str, ...]
    document_per_child: tuple[str, ...]
    class_lines: tuple[str, ...]
    other: tuple[str, ...]
    difference: str

    def of(self, kind: str) -> tuple[str, ...]:
        """Return the sentences for a field kind, a plugin's own included."""
        return getattr(self, kind, self.other) if kind != "difference" else self.other


class Opinions(_Section):
    """Hold what is to be done, by field kind."""

    document: str
    pair: str
    child: str
    other: str


class StepNotes(_Section):
    """Hold the notes of a finding's steps."""

    object: str
    uphold: str
    dismiss: str
    verify: str
    reopen: str
    recall: str
    evidence: str


class LedgerNotes(_Section):
    """Hold the notes of ledgers and of leave."""

    next_action: tuple[str, ...]
    leave_reason: tuple[str, ...]
    asked_by: tuple[str, ...]
    call: str


class VisitNotes(_Section):
    """Hold the notes of visits to children."""

    countermeasure: tuple[str, ...]
    next_step: tuple[str, ...]


class Words(_Section):
    """Hold all words of the demonstration county."""

    names: Names
    schools: SchoolWords
    titles: dict[str, str]
    units: dict[str, str]
    contacts: Contacts
    events: dict[str, str]
    notes: Notes
    failures: Failures
    opinions: Opinions
    steps: StepNotes
    visits: VisitNotes
    ledgers: LedgerNotes


def read_words(folder: Path) -> Words:
    """Read ``demo.toml``."""
    return Words.model_validate(tomllib.loads((folder / "demo.toml").read_text(encoding="utf-8")))


@dataclass(slots=True)
class NameMaker:
    """Put together names that nobody else in the county bears."""

    random: Random
    surnames: str
    given: str
    taken: set[str] = field(default_factory=set)

    def person(self, surname: str | None = None) -> str:
        """Return a new name; a given surname is kept."""
        for attempt in range(ATTEMPTS):
            name = surname or self.random.choice(self.surnames)
            name += self.random.choice(self.given)
            # A crowded county falls back to three characters, of which there are enough.
            if attempt or self.random.random() < THREE_CHARACTERS:
                name += self.random.choice(self.given)
            if name not in self.taken:
                self.taken.add(name)
                return name
        return self.person() if surname else self._longer()

    def relative(self, surname: str) -> str:
        """Return a name for a relative; two families may share it."""
        return surname + self.random.choice(self.given) + self.random.choice(self.given)

    def _longer(self) -> str:
        while True:
            name = self.random.choice(self.surnames) + "".join(self.random.choices(self.given, k=3))
            if name not in self.taken:
                self.taken.add(name)
                return name


def name_maker(words: Words, random: Random, taken: set[str]) -> NameMaker:
    """Return a maker of names that avoids those of real persons."""
    surnames = "".join(words.names.surnames.split())
    return NameMaker(random, surnames, "".join(words.names.given.split()), set(taken))
