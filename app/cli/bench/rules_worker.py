"""Run all rules in a process of its own, take it back, and say what they took."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import (
    Column,
    Date,
    Integer,
    MetaData,
    String,
    Table,
    cast,
    delete,
    event,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Session

from app.cli.bench.application import application
from app.cli.bench.roster_worker import Meter
from app.cli.bench.site import DAY
from app.cli.bench.wire import Spec

PLAIN = Table(
    "bench_verdict",
    MetaData(),
    Column("rule_key", String(100)),
    Column("subject_type", String(40)),
    Column("subject_id", Integer),
    Column("school_id", Integer),
    Column("township_id", Integer),
    Column("period_start", Date),
    Column("observed", String(100)),
    Column("required", String(100)),
)
"""What the floor inserts its verdicts into: no key, no index."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a way of judging took: milliseconds of processor, memory, statements, verdicts."""

    work_ms: float
    again_ms: float
    """Of a second run over the same records, which finds the same."""
    peak_mib: float
    statements: int
    found: dict[str, int]
    failed: dict[str, str]


def by_product(session: Session, url: str) -> Judged:
    """Judge as `flask rules run` does, twice."""
    from app.rules.engine import run_rules

    counted = _counter(session)
    meter, before = Meter(url), counted()
    report = run_rules(session, DAY)
    work, statements = meter.milliseconds(), counted() - before
    meter = Meter(url)
    run_rules(session, DAY)
    again = meter.milliseconds()
    found = {one.rule: one.found for one in report.results}
    failed = {one.rule: one.error for one in report.results if one.error}
    return Judged(work, again, _peak(), statements, found, failed)


def by_floor(session: Session, url: str) -> Judged:
    """Insert what the same conditions find into a plain table, a statement for each select."""
    from app.base import registry

    connection = session.connection()
    PLAIN.create(connection)
    counted = _counter(session)
    meter, before = Meter(url), counted()
    failed = _insert(session)
    work, statements = meter.milliseconds(), counted() - before
    by_rule = select(PLAIN.c.rule_key, func.count()).group_by(PLAIN.c.rule_key)
    held = {row[0]: row[1] for row in connection.execute(by_rule)}
    connection.execute(delete(PLAIN))
    meter = Meter(url)
    _insert(session)
    again = meter.milliseconds()
    found = {rule.key: held.get(rule.key, 0) for rule in registry.rules()}
    return Judged(work, again, _peak(), statements, found, failed)


def _insert(session: Session) -> dict[str, str]:
    """Insert the verdicts of all rules; return why some failed."""
    from app.base import registry
    from app.rules.judge import judge_on
    from app.rules.rule import COLUMNS

    judge = judge_on(session, DAY)
    failed: dict[str, str] = {}
    for rule in registry.rules():
        window = judge.window(rule)
        try:
            asked = judge.asked(rule, window, rule.select) if window is not None else []
            for query, _settings in asked:
                rows = query.subquery()
                values = [_plain(rows.c[name]) for name in COLUMNS]
                source = select(literal(rule.key), *values)
                session.connection().execute(
                    insert(PLAIN).from_select(["rule_key", *COLUMNS], source)
                )
        except Exception as error:  # noqa: BLE001  # the product notes a failing rule, too
            failed[rule.key] = str(error)[:200]
    gone = judge.elsewhere()
    if gone:
        of_child = PLAIN.c.subject_type == "child"
        session.connection().execute(delete(PLAIN).where(of_child, PLAIN.c.subject_id.in_(gone)))
    return failed


def _plain(column: Any) -> Any:
    return cast(column, String(100)) if column.name in {"observed", "required"} else column


def _counter(session: Session) -> Callable[[], int]:
    seen: list[None] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *_arguments: seen.append(None))
    return lambda: len(seen)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Do as the first argument says on the site of the second: fill, product or floor."""
    way, text = sys.argv[1:]
    spec = Spec(**json.loads(text))
    app = application(replace(spec, kind="product"))
    from app import database
    from app.cli.bench import year
    from app.extensions import db

    with app.app_context(), database.writing():
        session = db.session()
        if way == "fill":
            print(json.dumps(year.fill(session, DAY)))
            session.commit()
            return
        judged = (by_product if way == "product" else by_floor)(session, spec.url)
        session.rollback()
    print(json.dumps(asdict(judged)))


if __name__ == "__main__":
    main()
