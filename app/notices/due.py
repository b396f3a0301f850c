"""Describe things to do 待办事项: what somebody has to do by a day, and who answers for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from sqlalchemy import Boolean, ColumnElement, Date, Integer, Select, String, cast, literal

from app.base import registry
from app.parameters.settings import Settings
from app.parameters.window import Window
from app.words import declare

DUE_COLUMNS: Final = (
    "subject_type",
    "subject_id",
    "school_id",
    "township_id",
    "since",
    "days",
    "role",
    "person_id",
    "topic",
    "needed",
    "in_term",
)
"""What the select of a kind returns, in this order."""
AHEAD: Final = 31
"""Days: what is due later is not looked at yet."""
DueSelect = Callable[[Window, Settings], Select[Any]]


@dataclass(frozen=True, slots=True)
class DueKind:
    """Describe one kind of things to do; `select` returns those that nobody has done yet.

    `key` is `<plugin>.<noun_phrase>`; `view` names the class of the screen whose `page` shows the
    subject. A thing is due when `days` days of the `clock` have elapsed after `since`; rows
    without `days` are left out. Those whom it concerns are told some working days before, or at
    once, and when it is overdue; then it climbs the ladder of its role.
    """

    key: str
    title: Any
    view: str
    select: DueSelect
    clock: Literal["working_day", "school_day"] = "working_day"
    at_once: bool = False
    page: Literal["show", "list"] = "show"
    ahead: int = AHEAD

    @property
    def plugin(self) -> str:
        """Return the name of the plugin that brings the kind."""
        return self.key.partition(".")[0]


def due_columns(
    subject: tuple[str, Any],
    place: Any,
    since: Any,
    *,
    role: Any,
    days: Any = 0,
    person: Any = None,
    topic: Any = None,
    needed: Any = None,
    in_term: Any = False,
) -> list[ColumnElement[Any]]:
    """Return the columns of a kind's select: the subject's table and key, its place, and the rest.

    `place` has `school_id` and `township_id`; what is no column is taken as a value.
    """
    subject_type, subject_id = subject
    values: dict[str, tuple[Any, Any]] = {
        "since": (since, Date),
        "days": (days, Integer),
        "role": (role, String),
        "person_id": (person, Integer),
        "topic": (topic, String),
        "needed": (needed, Integer),
        "in_term": (in_term, Boolean),
    }
    return [
        literal(subject_type).label("subject_type"),
        subject_id.label("subject_id"),
        place.school_id.label("school_id"),
        place.township_id.label("township_id"),
        *(_column(value, kind).label(name) for name, (value, kind) in values.items()),
    ]


def _column(value: Any, kind: Any) -> ColumnElement[Any]:
    if not isinstance(value, date | bool | int | str) and value is not None:
        return cast(value, Integer) if kind is Integer else value
    return literal(value, kind)


def due_kinds() -> Sequence[DueKind]:
    """Return the core's kinds and those of the active plugins."""
    from app.notices.own import OWN

    return (*OWN, *registry.dues())


def find_kind(key: str | None) -> DueKind | None:
    """Return the kind of a key, or None where its plugin is gone."""
    return next((kind for kind in due_kinds() if kind.key == key), None)


def kind_title(key: str | None) -> Any:
    """Return what a kind is called; nothing where its plugin is gone."""
    kind = find_kind(key)
    return None if kind is None else kind.title


declare("due", kind_title)
