"""Stage what a rule found in a temporary table, and compare it with the stored violations.

The number of statements is the same for one row and for a hundred thousand, on both databases.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Executable,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from app import clock
from app.columns import UtcDateTime
from app.models import (
    LONGEST_PARAMETERS,
    Child,
    Township,
    Violation,
    ViolationState,
    ViolationStep,
)
from app.parameters.settings import Settings
from app.parameters.window import Window
from app.rules.rule import COLUMNS, Rule
from app.rules.sentence import sentence
from app.security.scope import table_of

TEMPORARY = MetaData()
FOUND: Final = Table(
    "rule_found",
    TEMPORARY,
    Column("subject_type", String(40), primary_key=True),
    Column("subject_id", Integer, primary_key=True, autoincrement=False),
    Column("period_start", Date, primary_key=True),
    Column("school_id", Integer),
    Column("township_id", Integer, nullable=False),
    Column("observed", String(100)),
    Column("required", String(100)),
    Column("parameter_key", String(LONGEST_PARAMETERS)),
    Column("parameter_value", String(LONGEST_PARAMETERS)),
    Column("effective_from", Date),
    prefixes=["TEMPORARY"],
)
KEPT: Final = ("observed", "required", "parameter_key", "parameter_value", "effective_from")
IDENTITY: Final = ("subject_type", "subject_id", "period_start")
_VIOLATION: Final = table_of(Violation)


@dataclass(frozen=True, slots=True)
class Counts:
    """Count what a rule changed."""

    found: int = 0
    opened: int = 0
    changed: int = 0
    resolved: int = 0


def create(connection: Connection) -> None:
    """Make the temporary table of this connection."""
    TEMPORARY.create_all(connection, checkfirst=False)


def drop(connection: Connection) -> None:
    """Take the temporary table away again."""
    TEMPORARY.drop_all(connection, checkfirst=False)


def fill(
    connection: Connection,
    asked: Sequence[tuple[Select, Settings]],
    elsewhere: Collection[int] = (),
) -> int:
    """Put the rows of a rule's selects into the table; return how many there are.

    Not those of children who sit ``elsewhere``: only the school that has a child answers for it.
    """
    connection.execute(delete(FOUND))
    for query, settings in asked:
        connection.execute(_stage(query, settings))
    if elsewhere:
        is_child = FOUND.c.subject_type == Child.__tablename__
        connection.execute(delete(FOUND).where(is_child, FOUND.c.subject_id.in_(elsewhere)))
    # Of a select that begins with WITH, SQLite does not say how many rows went in.
    return connection.scalar(select(func.count()).select_from(FOUND)) or 0


def store(connection: Connection, rule: Rule, as_of: date, run_id: int) -> Counts:
    """Open what is new, and change what differs or holds again; closing is a step of its own."""
    changed = connection.execute(_change(rule, as_of)).rowcount
    keep = {"preserve_rowcount": True}
    opened = connection.execute(_open(rule, as_of, run_id), execution_options=keep).rowcount
    return Counts(opened=opened, changed=changed)


def close(connection: Connection, rule: Rule, window: Window) -> int:
    """Resolve the violations of the window that no longer hold; return their number."""
    done = update(_VIOLATION).where(*_standing(rule, window), ~_is_found())
    resolved = done.values(resolved_on=window.as_of, state=str(ViolationState.RESOLVED))
    return connection.execute(resolved).rowcount


def end_waivers(connection: Connection, as_of: date) -> int:
    """Open again what was waived until a day that is over, with a step for each; return how many.

    One statement where there is none, three where there are any.
    """
    ended = [
        _VIOLATION.c.state == str(ViolationState.WAIVED),
        _VIOLATION.c.waived_until < as_of,
        _VIOLATION.c.resolved_on.is_(None),
    ]
    if connection.scalar(select(_VIOLATION.c.id).where(*ended).limit(1)) is None:
        return 0
    now = literal(clock.now(), UtcDateTime)
    values: dict[str, ColumnElement[Any]] = {
        "violation_id": _VIOLATION.c.id,
        **{name: _VIOLATION.c[name] for name in ("county_id", "township_id", "school_id")},
        "state": literal(str(ViolationState.OPEN)),
        "until": _VIOLATION.c.waived_until,
        "happened_at": now,
        "created_at": now,
        "changed_at": now,
        "row_version": literal(1),
    }
    rows = select(*values.values()).where(*ended)
    connection.execute(
        insert(table_of(ViolationStep)).from_select(list(values), rows, include_defaults=False)
    )
    opened = update(_VIOLATION).where(*ended)
    done = opened.values(state=str(ViolationState.OPEN), waived_until=None)
    return connection.execute(done).rowcount


def preview(connection: Connection, rule: Rule, window: Window) -> Counts:
    """Count what a run would change, and write nothing."""
    same = _same_identity()
    stored = exists().where(_VIOLATION.c.rule_key == rule.key, same)
    differs = (
        select(func.count())
        .select_from(FOUND)
        .join(_VIOLATION, and_(_VIOLATION.c.rule_key == rule.key, same))
    )
    opened = select(func.count()).select_from(FOUND).where(~stored)
    gone = select(func.count()).select_from(_VIOLATION)
    return Counts(
        opened=connection.scalar(opened) or 0,
        changed=connection.scalar(differs.where(_differs(rule))) or 0,
        resolved=connection.scalar(gone.where(*_standing(rule, window), ~_is_found())) or 0,
    )


def _stage(query: Select, settings: Settings) -> Executable:
    """Return the statement that puts one select's rows into the table."""
    rows = query.subquery()
    used = settings.used()
    keys = ", ".join(dated.key for dated in used)[:LONGEST_PARAMETERS] or None
    values = ", ".join(str(dated.value) for dated in used)[:LONGEST_PARAMETERS] or None
    since = max((dated.valid_from for dated in used), default=None)
    named: dict[str, ColumnElement[Any]] = {name: rows.c[name] for name in COLUMNS}
    for name in ("observed", "required"):
        named[name] = cast(rows.c[name], String(100))
    named["parameter_key"] = literal(keys, String)
    named["parameter_value"] = literal(values, String)
    named["effective_from"] = literal(since, Date)
    return insert(FOUND).from_select(list(named), select(*named.values()))


def _same_identity() -> ColumnElement[bool]:
    """Match a violation with a found row, within one rule."""
    return and_(*(_VIOLATION.c[name] == FOUND.c[name] for name in IDENTITY))


def _is_found() -> ColumnElement[bool]:
    """Tell whether a violation was found again."""
    return exists().where(_same_identity()).correlate(_VIOLATION)


def _standing(rule: Rule, window: Window) -> list[ColumnElement[bool]]:
    """Select the unresolved violations that the window is about."""
    conditions = [_VIOLATION.c.rule_key == rule.key, _VIOLATION.c.resolved_on.is_(None)]
    if rule.period not in {"none", "event"}:
        conditions.append(_VIOLATION.c.period_start.between(window.start, window.end))
    if window.school_ids is not None:
        conditions.append(_VIOLATION.c.school_id.in_(window.school_ids))
    return conditions


def _differs(rule: Rule) -> ColumnElement[bool]:
    """Tell whether a stored violation says something else than the found row, or was resolved."""
    return or_(
        _VIOLATION.c.resolved_on.is_not(None),
        _VIOLATION.c.severity != rule.severity,
        *(_VIOLATION.c[name].is_distinct_from(FOUND.c[name]) for name in KEPT),
    )


def _change(rule: Rule, as_of: date) -> Executable:
    """Return the statement that brings stored violations in step with what was found."""
    return (
        update(_VIOLATION)
        .where(_VIOLATION.c.rule_key == rule.key, _same_identity(), _differs(rule))
        .values(
            {name: FOUND.c[name] for name in KEPT}
            | {
                "message": _message(rule),
                "severity": rule.severity,
                "changed_on": as_of,
                "resolved_on": None,
                "state": _state_when_found(as_of),
            }
        )
    )


def _state_when_found(as_of: date) -> ColumnElement[str]:
    """Let what comes back be open again, unless it is waived until a later day."""
    return case(
        (_VIOLATION.c.resolved_on.is_(None), _VIOLATION.c.state),
        (_VIOLATION.c.waived_until >= as_of, str(ViolationState.WAIVED)),
        else_=str(ViolationState.OPEN),
    )


def _open(rule: Rule, as_of: date, run_id: int) -> Executable:
    """Return the statement that stores what was not known before."""
    known = exists().where(_VIOLATION.c.rule_key == rule.key, _same_identity()).correlate(FOUND)
    township = Township.__table__
    values = {
        "county_id": township.c.county_id,
        "township_id": FOUND.c.township_id,
        "school_id": FOUND.c.school_id,
        **{name: FOUND.c[name] for name in (*IDENTITY, *KEPT)},
        "rule_key": literal(rule.key),
        "code": literal(rule.code),
        "clause_key": literal(rule.clause or None, String(40)),
        "severity": literal(rule.severity),
        "state": literal(str(ViolationState.OPEN)),
        "message": _message(rule),
        "first_seen": literal(as_of, Date),
        "opened_run_id": literal(run_id),
    }
    rows = (
        select(*values.values())
        .select_from(FOUND.join(township, township.c.id == FOUND.c.township_id))
        .where(~known)
    )
    return insert(_VIOLATION).from_select(list(values), rows, include_defaults=False)


def _message(rule: Rule) -> ColumnElement[str]:
    """Return the rule's sentence with the figures of each row put in."""
    return sentence(rule.message, observed=FOUND.c.observed, required=FOUND.c.required)
