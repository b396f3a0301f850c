"""Say how the rows of a model are found by typing, and how they read in a lookup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, false, func, or_, select
from sqlalchemy.orm import joinedload

from app import clock
from app.base import Model, Named, Restricted, Shared, TownshipScoped
from app.crud.filters import number, readable, spelled_like
from app.models import (
    Appointment,
    ChecklistVersion,
    Child,
    ChildStatus,
    ChildStatusStep,
    ClassLine,
    Clause,
    Code,
    Enrolment,
    Inspection,
    LiaisonAssignment,
    Obligation,
    ParameterValue,
    Person,
    School,
    SchoolClass,
    StatusEvent,
    Visit,
)
from app.security.scope import mapped
from app.words import said_as, words

PAGE = 20
NARROWING = ("domain", "school_id", "township_id", "class_id", "kind", "child_id", "version_id")
"""Columns by which an address may narrow a lookup."""
TEXTS = ("name", "title", "heading", "key", "code", "text", "facts", "theme")


def _text(row: Any) -> str:
    return str(row)


def _class_text(row: SchoolClass) -> str:
    return f"{row.name} · {row.school}"


def _child_text(row: Child) -> str:
    where = " ".join(str(part) for part in (row.school, row.school_class) if part)
    return f"{row.name} · {where}" if where else row.name


def _person_text(row: Person) -> str:
    more = " ".join(part for part in (row.unit, words(row.title)) if part)
    return f"{row.name} · {more}" if more else row.name


def _clause_text(row: Clause) -> str:
    return f"{row.key} {words(row.heading) or row.text[:30]}"


def _follows_status_of(child_id: int) -> ColumnElement[bool]:
    """Keep to the statuses that may follow the present one of a child."""
    steps = select(ChildStatusStep.to_id).join(Child, Child.status_id == ChildStatusStep.from_id)
    return ChildStatus.id.in_(steps.where(Child.id == child_id))


def _is_enrolled(wanted: int) -> ColumnElement[bool]:
    """Keep to the children on the list of a school, or to the others."""
    return Child.status.has(ChildStatus.is_enrolled.is_(bool(wanted)))


def _in_force(column: Any) -> Callable[[], ColumnElement[bool]]:
    return lambda: or_(column.is_(None), column >= clock.today())


@dataclass(frozen=True, slots=True)
class Lookup:
    """How the rows of one model are looked up."""

    model: type[Any]
    text: Callable[[Any], str] = _text
    joins: tuple[str, ...] = ()
    """Relations that the text reads."""
    offered: Callable[[], Any] | None = None
    """Which rows are offered for a new choice; a chosen one stays readable."""
    conditions: Mapping[str, Callable[[int], ColumnElement[bool]]] = field(default_factory=dict)
    """By which keys of other rows an address may narrow this lookup, besides its own columns."""

    def statement(self, typed: str, page: int, narrow: Mapping[str, str]) -> Select[Any]:
        """Return the select of one page and one row more, which tells whether there is another."""
        chosen = self._rows().limit(PAGE + 1).offset((page - 1) * PAGE)
        for name, value in narrow.items():
            chosen = chosen.where(self._narrowed(name, value))
        if self.offered is not None:
            chosen = chosen.where(self.offered())
        wanted = "".join(typed.lower().split())
        if wanted:
            chosen = chosen.where(self._matches(readable(typed.strip())))
            chosen = chosen.order_by(*self._likeness(wanted))
        return chosen.order_by(*self._order())

    def by_key(self, key: int) -> Select[Any]:
        """Return the select of one row."""
        return self._rows().where(self.model.id == key)

    def narrowing(self) -> tuple[str, ...]:
        """Return the names by which an address may narrow this lookup."""
        own = (name for name in NARROWING if name in self.model.__mapper__.columns)
        return (*own, *self.conditions)

    def _rows(self) -> Select[Any]:
        return select(self.model).options(
            *(joinedload(getattr(self.model, name)) for name in self.joins)
        )

    def _narrowed(self, name: str, value: str) -> ColumnElement[bool]:
        if name in self.conditions:
            return self.conditions[name](int(number(value)))
        column = getattr(self.model, name)
        is_text = isinstance(column.type, String)
        return column == (readable(value) if is_text else int(number(value)))

    def _texts(self) -> list[Any]:
        columns = self.model.__mapper__.columns
        return [
            getattr(self.model, name)
            for name in TEXTS
            if name in columns and isinstance(columns[name].type, String)
        ]

    def _matches(self, typed: str) -> ColumnElement[bool]:
        if issubclass(self.model, Named):
            return spelled_like(self.model, typed)
        texts = self._texts()
        found = [column.icontains(typed, autoescape=True) for column in texts]
        said = said_as(typed)
        found += [column.in_(said) for column in texts if said and column.info.get("words")]
        if typed.isascii() and typed.isdigit() and len(typed) < 10:
            found.append(self.model.id == int(typed))
        return or_(*found) if found else false()

    def _likeness(self, wanted: str) -> list[ColumnElement[Any]]:
        """Put names that begin with the words before those that hold them somewhere."""
        if not issubclass(self.model, Named):
            return []
        key = self.model.search_key
        begins = or_(
            key.startswith(wanted, autoescape=True), key.contains(f" {wanted}", autoescape=True)
        )
        return [case((begins, 0), else_=1), func.length(self.model.name)]

    def _order(self) -> list[ColumnElement[Any]]:
        columns = self.model.__mapper__.columns
        names = [name for name in ("position", *TEXTS[:2]) if name in columns]
        if not names:
            return [self.model.id.desc()]
        return [*(getattr(self.model, name) for name in names), self.model.id]


_OWN = {
    lookup.model: lookup
    for lookup in (
        Lookup(School, offered=_in_force(School.closed_on)),
        Lookup(SchoolClass, _class_text, ("school",), lambda: SchoolClass.is_active),
        Lookup(
            Child,
            _child_text,
            ("school", "school_class"),
            conditions={"is_enrolled": _is_enrolled},
        ),
        Lookup(Person, _person_text, offered=lambda: Person.is_active),
        Lookup(ChildStatus, conditions={"child_id": _follows_status_of}),
        Lookup(Code, offered=_in_force(Code.valid_to)),
        Lookup(Clause, _clause_text),
        Lookup(Inspection, joins=("school", "township")),
        Lookup(Visit, joins=("child",)),
        Lookup(Enrolment, joins=("child",)),
        Lookup(StatusEvent, joins=("status",)),
        Lookup(ParameterValue, joins=("parameter",)),
        Lookup(ChecklistVersion, joins=("checklist",)),
        Lookup(LiaisonAssignment, joins=("person",)),
        Lookup(ClassLine, joins=("school_class",)),
        Lookup(Obligation, joins=("school",)),
        Lookup(Appointment),
    )
}


def lookup_of(model: type[Any]) -> Lookup:
    """Return how a model is looked up."""
    return _OWN.get(model) or Lookup(model)


def lookup_named(table: str) -> Lookup | None:
    """Return the lookup of a table; None for unknown tables and those that are nobody's to read."""
    model = _models(tuple(Model.metadata.tables)).get(table)
    return lookup_of(model) if model is not None else None


@lru_cache(maxsize=4)
def _models(tables: tuple[str, ...]) -> dict[str, type[Any]]:
    """Return the models that may be looked up, plugins' included, by table."""
    return {
        model.__tablename__: model
        for model in _mapped()
        if model.__tablename__ in tables and not issubclass(model, Restricted)
    }


def _mapped() -> list[type[Any]]:
    return [
        model
        for mixin in (Shared, TownshipScoped)
        for model in mapped(mixin)
        if "id" in model.__mapper__.columns
    ]
