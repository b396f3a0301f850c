"""Write down what is due 待办事项: every night, in a constant number of statements."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Integer, Row, Select, bindparam, select, update
from sqlalchemy.orm import Session

from app import database
from app.base import registry
from app.cadence.calendar import Calendar, load_calendars
from app.cadence.period import load_years, months_of_years
from app.models import DueItem, Township
from app.notices.due import DUE_COLUMNS, DueKind, due_kinds
from app.parameters.settings import NoValue, settings_on
from app.parameters.value import Parameters, load_parameters
from app.parameters.window import Period, Window
from app.rules.judge import WrongColumns
from app.security.scope import table_of

log = logging.getLogger(__name__)
IDENTITY: Final = ("kind_key", "subject_type", "subject_id", "due_on")
FACTS: Final = (
    "county_id", "township_id", "school_id", "topic", "in_term", "role", "person_id", "needed",
)  # fmt: skip
_ITEM: Final = table_of(DueItem)
Identity = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """Count the things to do that a run added, changed and ended; name the kinds that failed."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    failed: tuple[str, ...] = ()


def collect(session: Session, as_of: date) -> Collected:
    """Bring the things to do in step with the records; the caller commits.

    Each kind is asked in a savepoint of its own; where it fails, its things stay as they are.
    """
    asked, failed = _ask_all(session, as_of)
    calendars = load_calendars(session, _earliest(asked, as_of), as_of)
    wanted = {
        tuple(one[name] for name in IDENTITY): one
        for kind, rows in asked
        for one in _due(kind, rows, calendars, as_of)
    }
    return replace(_store(session, wanted, as_of, failed), failed=tuple(failed))


def still_due(session: Session, item: DueItem, as_of: date) -> bool:
    """Tell whether nobody has done a thing since it was written down."""
    kind = next((one for one in due_kinds() if one.key == item.kind_key), None)
    if kind is None:
        return False
    parameters = load_parameters(session)
    query = _query(kind, parameters, _window(session, parameters, as_of))
    if query is None:
        return False
    found = query.subquery()
    same = found.c.subject_type == item.subject_type, found.c.subject_id == item.subject_id
    return session.execute(select(found.c.subject_id).where(*same).limit(1)).first() is not None


def _ask_all(session: Session, as_of: date) -> tuple[list[tuple[DueKind, Sequence[Any]]], set[str]]:
    parameters = load_parameters(session)
    window = _window(session, parameters, as_of)
    asked, failed = [], set()
    for kind in due_kinds():
        try:
            with session.begin_nested():
                asked.append((kind, _ask(session, kind, parameters, window)))
        except Exception:  # as for rules, one that fails stops no other
            log.exception("what is due as %s cannot be asked", kind.key)
            failed.add(kind.key)
    return asked, failed


def _window(session: Session, parameters: Parameters, as_of: date) -> Window:
    months = months_of_years(load_years(session, as_of, parameters=parameters))
    return Window(as_of, (Period(as_of.isoformat(), as_of, as_of, as_of),), None, months)


def _ask(
    session: Session, kind: DueKind, parameters: Parameters, window: Window
) -> Sequence[Row[Any]]:
    """Return what a kind finds in townships that are live."""
    query = _query(kind, parameters, window)
    if query is None:
        return ()
    found = query.subquery()
    return session.execute(
        select(found, Township.county_id, Township.go_live_on)
        .join(Township, Township.id == found.c.township_id)
        .where(
            Township.go_live_on <= window.as_of,
            found.c.days.is_not(None),
            found.c.since <= window.as_of + timedelta(days=kind.ahead),
        )
        .order_by(found.c.subject_id)
    ).all()


def _query(kind: DueKind, parameters: Parameters, window: Window) -> Select[Any] | None:
    """Return a kind's select; None where one of its parameters has no value on the day."""
    names = registry.parameter_names(kind.plugin)
    settings = settings_on(parameters, kind.plugin, names, window.as_of)
    try:
        query = kind.select(window, settings)
    except NoValue:
        return None
    columns = tuple(column.name for column in query.selected_columns)
    if columns != DUE_COLUMNS:
        raise WrongColumns(", ".join(columns))
    return query


def _earliest(asked: Iterable[tuple[DueKind, Sequence[Any]]], as_of: date) -> date:
    return min((row.since for _kind, rows in asked for row in rows), default=as_of)


def _due(
    kind: DueKind, rows: Sequence[Any], calendars: Mapping[int, Calendar], as_of: date
) -> Iterable[dict[str, Any]]:
    """Yield the rows of a kind with their due days, unless it lies too far ahead."""
    for row in rows:
        calendar = calendars.get(row.county_id, Calendar())
        due_on = calendar.day_after(row.since, row.days, _clock(kind, calendar, row.in_term))
        if row.go_live_on <= due_on <= as_of + timedelta(days=kind.ahead):
            facts = {name: getattr(row, name) for name in FACTS}
            yield {
                "kind_key": kind.key,
                "subject_type": row.subject_type,
                "subject_id": row.subject_id,
                "due_on": due_on,
                **facts,
                "in_term": bool(row.in_term),
            }


def _clock(kind: DueKind, calendar: Calendar, in_term: bool) -> Any:
    if kind.clock == "school_day":
        return calendar.is_school_day
    return lambda day: calendar.counts(day, in_term=in_term)


def _store(
    session: Session, wanted: Mapping[Identity, dict[str, Any]], as_of: date, failed: set[str]
) -> Collected:
    """Add what is new, change what differs, end what nobody asks for any more."""
    connection = session.connection()
    columns = [_ITEM.c[name] for name in ("id", *IDENTITY, *FACTS)]
    open_items = select(*columns).where(_ITEM.c.ended_on.is_(None))
    held = {
        tuple(getattr(row, name) for name in IDENTITY): row
        for row in connection.execute(open_items)
        if row.kind_key not in failed
    }
    new = [{**one, "first_seen": as_of} for key, one in wanted.items() if key not in held]
    changed = [
        {"key": held[key].id, **{name: one[name] for name in FACTS}}
        for key, one in wanted.items()
        if key in held and any(getattr(held[key], name) != one[name] for name in FACTS)
    ]
    ended = [{"key": row.id, "ended_on": as_of} for key, row in held.items() if key not in wanted]
    of_key = update(_ITEM).where(_ITEM.c.id == bindparam("key", type_=Integer))
    if new:
        connection.execute(_upsert(session), new)
    if changed:
        connection.execute(of_key.values({name: bindparam(name) for name in FACTS}), changed)
    if ended:
        connection.execute(of_key.values(ended_on=bindparam("ended_on")), ended)
    return Collected(len(new), len(changed), len(ended))


def _upsert(session: Session) -> Any:
    """Return the insert of things to do; one that had ended is open again."""
    made = database.insert_into(session, _ITEM)
    again = {**{name: made.excluded[name] for name in FACTS}, "ended_on": None}
    return made.on_conflict_do_update(index_elements=list(IDENTITY), set_=again)
