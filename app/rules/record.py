"""Write down verdicts as JSON: what was found, why, by which value, and on which evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, cast, literal, select
from sqlalchemy.orm import Session

from app.models import Child, School, Township, Violation
from app.parameters.settings import Settings
from app.rules.evidence import NOTHING, Identity, Record, evidence_of
from app.rules.judge import Judge, judge_on
from app.rules.rule import COLUMNS, Rule
from app.rules.seen import Seen, load_seen
from app.rules.sentence import arithmetic
from app.security.scope import table_of

CHILD: Final = Child.__tablename__
KEY: Final = ("subject_type", "subject_id", "period_start")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict of a rule, stored or only found, with the names of its place."""

    rule_key: str
    clause: str | None
    severity: str
    township: str
    school: str | None
    subject_type: str
    subject_id: int
    period_start: date
    observed: str | None
    required: str | None
    parameters: Mapping[str, str]
    effective_from: date | None
    first_seen: date
    changed_on: date | None = None
    resolved_on: date | None = None
    last_seen: date | None = None
    message: str = ""
    records: tuple[Record, ...] = ()

    @property
    def identity(self) -> Identity:
        """Return what names it within its rule."""
        return self.subject_type, self.subject_id, self.period_start


def stored_verdicts(session: Session, rules: Sequence[Rule], judge: Judge) -> list[Verdict]:
    """Return everything that is known of these rules, resolved verdicts too, with its evidence.

    The evidence is asked for as of the last day on which a school year's verdicts were judged: a
    constant number of statements for each rule and school year.
    """
    seen = load_seen(session, [rule.key for rule in rules])
    verdicts: list[Verdict] = []
    for rule in rules:
        query = _stored(rule, judge.school_ids)
        held = [_with_seen(_verdict_of(row), seen) for row in session.execute(query)]
        wanted = query.subquery()
        judges = {day: _judge_of(judge, day) for day in {_judged_on(one, seen) for one in held}}
        found = {day: evidence_of(one, rule, wanted) for day, one in judges.items()}
        verdicts += [
            _complete(one, rule, found[_judged_on(one, seen)].of(one.identity)) for one in held
        ]
    return _sorted(verdicts)


def found_verdicts(
    judge: Judge, rules: Sequence[Rule], *, with_evidence: bool = True
) -> list[Verdict]:
    """Return what rules find as of a day, without storing anything."""
    verdicts: list[Verdict] = []
    for rule in rules:
        window = judge.window(rule)
        if window is None:
            continue
        known = _first_seen(judge.session, rule, judge.as_of)
        found: list[Verdict] = []
        for query, settings in judge.asked(rule, window, rule.select):
            found += [
                _found(rule, row, settings, judge.as_of)
                for row in judge.session.execute(_placed(query))
                if row.subject_type != CHILD or row.subject_id not in judge.elsewhere()
            ]
        named = {one.identity for one in found}
        evidence = evidence_of(judge, rule, named) if with_evidence and named else NOTHING
        for one in found:
            first = known.get(one.identity, judge.as_of)
            records = evidence.of(one.identity)
            verdicts.append(_complete(replace(one, first_seen=first), rule, records))
    return _sorted(verdicts)


def as_json(verdicts: Iterable[Verdict]) -> str:
    """Return verdicts as a JSON list; the same verdicts give the same bytes."""
    lines = [json.dumps(_object(one), ensure_ascii=False) for one in verdicts]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"


def _object(verdict: Verdict) -> dict[str, Any]:
    return {
        "rule": verdict.rule_key,
        "clause": verdict.clause,
        "severity": verdict.severity,
        "township": verdict.township,
        "school": verdict.school,
        "subject_type": verdict.subject_type,
        "subject": verdict.subject_id,
        "observed": verdict.observed,
        "required": verdict.required,
        "parameter": dict(verdict.parameters),
        "effective_from": _day(verdict.effective_from),
        "arithmetic": verdict.message,
        "evidence": [
            {
                "record_type": record.record_type,
                "record": record.record_id,
                "day": _day(record.day),
                "detail": record.detail,
            }
            for record in verdict.records
        ],
        "first_seen": _day(verdict.first_seen),
        "last_seen": _day(verdict.last_seen),
        "resolved_on": _day(verdict.resolved_on),
    }


def parameters_of(keys: str | None, values: str | None) -> dict[str, str]:
    """Return the values that a stored violation was judged by, by the parameter's key."""
    if not keys:
        return {}
    return dict(zip(keys.split(", "), (values or "").split(", "), strict=False))


def _stored(rule: Rule, school_ids: frozenset[int] | None) -> Any:
    query: Any = (
        select(
            Violation.rule_key,
            Violation.clause_key.label("clause"),
            Violation.severity,
            Township.name.label("township"),
            School.name.label("school"),
            Violation.subject_type,
            Violation.subject_id,
            Violation.period_start,
            Violation.observed,
            Violation.required,
            Violation.parameter_key,
            Violation.parameter_value,
            Violation.effective_from,
            Violation.first_seen,
            Violation.changed_on,
            Violation.resolved_on,
        )
        .join(Township, Township.id == Violation.township_id)
        .outerjoin(School, School.id == Violation.school_id)
        .where(Violation.rule_key == rule.key)
    )
    return query if school_ids is None else query.where(Violation.school_id.in_(school_ids))


def _verdict_of(row: Any) -> Verdict:
    values = dict(row._mapping)
    keys, texts = values.pop("parameter_key"), values.pop("parameter_value")
    return Verdict(parameters=parameters_of(keys, texts), **values)


def _with_seen(verdict: Verdict, seen: Seen) -> Verdict:
    return replace(verdict, last_seen=seen.last(verdict))


def _judged_on(verdict: Verdict, seen: Seen) -> date:
    """Return the last day on which a verdict of its period was judged, resolved or not."""
    return seen.last(replace(verdict, resolved_on=None))


def _judge_of(judge: Judge, day: date) -> Judge:
    if day == judge.as_of:
        return judge
    return judge_on(judge.session, day, school_ids=judge.school_ids)


def _complete(verdict: Verdict, rule: Rule, records: tuple[Record, ...]) -> Verdict:
    days = sorted({record.day for record in records if record.day is not None})
    said = arithmetic(rule, verdict.observed, verdict.required, days)
    return replace(verdict, records=records, message=said)


def _placed(query: Select[Any]) -> Select[Any]:
    """Add the names of the place to what a rule finds; figures become the texts that are stored."""
    rows = query.subquery("found")
    columns: list[ColumnElement[Any]] = [
        cast(rows.c[name], String(100)).label(name) if name in {"observed", "required"}
        else rows.c[name]
        for name in COLUMNS
    ]  # fmt: skip
    return (
        select(*columns, Township.name.label("township"), School.name.label("school"))
        .join(Township, Township.id == rows.c.township_id)
        .outerjoin(School, School.id == rows.c.school_id)
    )


def _found(rule: Rule, row: Any, settings: Settings, as_of: date) -> Verdict:
    used = settings.used()
    return Verdict(
        rule_key=rule.key,
        clause=rule.clause or None,
        severity=rule.severity,
        township=row.township,
        school=row.school,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        period_start=row.period_start,
        observed=row.observed,
        required=row.required,
        parameters={dated.key: str(dated.value) for dated in used},
        effective_from=max((dated.valid_from for dated in used), default=None),
        first_seen=as_of,
        last_seen=as_of,
    )


def _first_seen(session: Session, rule: Rule, as_of: date) -> dict[Identity, date]:
    """Return when what is stored was first seen, if that was before the day."""
    held = table_of(Violation).c
    query = select(*(held[name] for name in KEY), held.first_seen).where(
        held.rule_key == literal(rule.key), held.first_seen < as_of
    )
    return {(row[0], row[1], row[2]): row[3] for row in session.execute(query)}


def _sorted(verdicts: Iterable[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=_place)


def _place(one: Verdict) -> tuple[Any, ...]:
    """Order verdicts by what names them, so that a list is the same every time."""
    place = one.township, one.school or ""
    return one.rule_key, *place, one.subject_type, one.subject_id, one.period_start


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
