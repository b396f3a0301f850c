"""Read the rows of a list as tuples: the columns that it shows, relations by their text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from app.base import Named
from app.words import words

Take = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """The statement of a list without its conditions, and what becomes of the columns."""

    statement: Select[Any]
    """The key first, then one column for each that the list shows."""
    takes: Sequence[tuple[str, Take | None]]

    def values(self, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
        """Return what the list shows of each row, by column; equal values are put in words once."""
        said: list[dict[Any, Any]] = [{} for _take in self.takes]
        return [
            {
                name: value if take is None else _once(kept, take, value)
                for (name, take), kept, value in zip(self.takes, said, row[1:], strict=True)
            }
            for row in rows
        ]


def _once(said: dict[Any, Any], take: Take, value: Any) -> Any:
    if value not in said:
        said[value] = take(value)
    return said[value]


def reading_of(
    model: type[Any],
    names: Iterable[str],
    is_worded: Callable[[str], bool],
    formatters: Mapping[str, Any],
) -> Reading | None:
    """Return how a list is read, or None where a column needs the rows themselves."""
    columns, relations = [model.id], dict[str, Any]()
    takes: list[tuple[str, Take | None]] = []
    for name in names:
        head, _dot, leaf = name.partition(".")
        if _is_column(model, name):
            columns.append(getattr(model, name))
            takes.append((name, _words if is_worded(name) else None))
            continue
        target = _target(model, head)
        text = leaf or _text_column(target)
        is_object = not leaf and name in formatters
        if target is None or is_object or text is None or not _is_column(target, text):
            return None
        alias = relations.setdefault(head, aliased(target))
        columns.append(getattr(alias, text))
        takes.append((name, (_words if is_worded(name) else None) if leaf else _text_of(target)))
    statement = select(*columns)
    for head, alias in relations.items():
        statement = statement.outerjoin(alias, getattr(model, head).of_type(alias))
    return Reading(statement, takes)


def _is_column(model: type[Any], name: str) -> bool:
    return name in model.__mapper__.column_attrs


def _target(model: type[Any], name: str) -> type[Any] | None:
    """Return the model to which at most one row a relation leads."""
    relation = model.__mapper__.relationships.get(name)
    if relation is None or relation.uselist:
        return None
    target: type[Any] = relation.mapper.class_
    return target


def _text_column(model: type[Any] | None) -> str | None:
    """Return the one column that the text of a model's rows reads, if the model names it."""
    if model is not None and model.__str__ is Named.__str__:
        return "name"
    return getattr(model, "text_column", None)


def _text_of(model: type[Any]) -> Take | None:
    """Return what makes the text of a row out of that column, unless it is the text."""
    name = str(_text_column(model))
    speak: Any = model.__str__
    if model.__str__ is Named.__str__:
        return None

    def text(value: Any) -> Any:
        return None if value is None else speak(SimpleNamespace(**{name: value}))

    return text


def _words(text: Any) -> Any:
    return words(text) if isinstance(text, str) else text
