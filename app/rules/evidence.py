"""Read the records that verdicts rest on, as a rule's select of evidence names them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists

from app.rules.judge import Judge, brief
from app.rules.rule import EVIDENCE_COLUMNS, Rule

log = logging.getLogger(__name__)

Identity = tuple[str, int, date]
"""What names a verdict within its rule: the kind of its subject, its key, the period's start."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record that a verdict rests on: its table and key, its day, and what it adds."""

    record_type: str
    record_id: int
    day: date | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold the records of verdicts, in order of their days; or why they cannot be read."""

    records: Mapping[Identity, tuple[Record, ...]] = field(default_factory=dict)
    error: str | None = None

    def of(self, identity: Identity) -> tuple[Record, ...]:
        """Return the records of one verdict."""
        return self.records.get(identity, ())


NOTHING = Evidence()


def evidence_of(judge: Judge, rule: Rule, wanted: Subquery | Collection[Identity]) -> Evidence:
    """Return the evidence of a rule's verdicts: of stored ones in a subquery, or of these.

    One statement for each stretch of time with the same settings. What a plugin's select raises
    becomes the error of the result.
    """
    window = judge.window(rule)
    if rule.evidence is None or window is None:
        return NOTHING
    found: dict[Identity, set[Record]] = {}
    try:
        for query, _settings in judge.asked(rule, window, rule.evidence, EVIDENCE_COLUMNS):
            with judge.session.begin_nested():
                for row in judge.session.execute(_of(query, wanted)):
                    kind, key, start, record_type, record_id, day, detail = row
                    if isinstance(wanted, Subquery) or (kind, key, start) in wanted:
                        record = Record(record_type, record_id, day, _text(detail))
                        found.setdefault((kind, key, start), set()).add(record)
    except Exception as error:  # a plugin's select must not take the page away
        log.exception("the evidence of rule %s failed", rule.key)
        return Evidence(error=brief(error))
    return Evidence({identity: _ordered(records) for identity, records in found.items()})


def _of(query: Select, wanted: Subquery | Collection[Identity]) -> Select:
    """Keep the records of the stored verdicts that are wanted."""
    if not isinstance(wanted, Subquery):
        return query
    rows = query.subquery("record")
    same: list[ColumnElement[bool]] = [
        wanted.c[name] == rows.c[name] for name in ("subject_type", "subject_id", "period_start")
    ]
    return rows.select().where(exists().where(and_(*same)).correlate(rows))


def _ordered(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(
        sorted(records, key=lambda one: (one.day or date.min, one.record_type, one.record_id))
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
