"""Import one roster in a process of its own, take it back, and say what it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask

from app.cli.bench.application import application
from app.cli.bench.backend import Backends
from app.cli.bench.wire import Spec

TABLES = ("child", "status_event", "enrolment", "change", "import_batch", "import_row")
FAULTS = "import_fault"


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import took: milliseconds of processor, memory at its most, statements, rows."""

    read_ms: float
    """Of it to read the cells."""
    work_ms: float
    """Of worker and database together."""
    peak_mib: float
    """Resident memory of the whole process at its most."""
    statements: int
    left: dict[str, int]
    """Rows that it would leave."""


class _Rolled(Exception):
    """End a transaction that is not to be kept."""


class Meter:
    """Measure processor time of this process and of the database's."""

    def __init__(self, url: str) -> None:
        self._backends = Backends(url)
        self._cpu, self._before = time.process_time(), self._backends.milliseconds()

    def milliseconds(self) -> float:
        """Return what was taken since the beginning."""
        own = (time.process_time() - self._cpu) * 1000
        return own + self._backends.since(self._before)


def by_floor(spec: Spec, path: Path) -> Taken:
    """Import by hand."""
    from app.cli.bench.floor import Database
    from app.cli.bench.roster_floor import RosterFloor

    keys = json.loads((Path(spec.folder) / "secrets.json").read_text(encoding="utf-8"))
    kind = "sqlite" if spec.url.startswith("sqlite") else "postgresql"
    database = Database(kind, spec.address)
    floor = RosterFloor(database, keys["ENCRYPTION_KEYS"][0], keys["BLIND_INDEX_KEY"], spec.county)
    before = _counts(lambda statement: database.rows(statement)[0][0])
    found: list[Taken] = []
    with suppress(_Rolled), database.transaction():
        content = path.read_bytes()
        meter, database.statements = Meter(spec.url), 0
        cells = floor.read(content)
        read = meter.milliseconds()
        floor.store(cells)
        work, statements = meter.milliseconds(), database.statements
        after = _counts(lambda statement: database.rows(statement)[0][0])
        found.append(Taken(read, work, _peak(), statements, _more(before, after)))
        raise _Rolled
    database.close()
    return found[0]


def by_product(app: Flask, spec: Spec, path: Path, *, is_dry: bool) -> Taken:
    """Import, or only judge, as `flask import` does."""
    from app import database, imports
    from app.extensions import db
    from app.security.scope import EVERYTHING

    with app.app_context(), database.writing():
        entity = imports.find_entity("child")
        assert entity is not None
        session = db.session()
        connection = session.connection()
        before = _counts(lambda statement: connection.exec_driver_sql(statement).scalar())
        seen = _counted(db.engine)
        content = path.read_bytes()
        meter = Meter(spec.url)
        opened = imports.open_file(entity, content, path.name)
        read = meter.milliseconds()
        run = imports.check if is_dry else imports.store
        run(session, opened, scope=EVERYTHING)
        work, statements = meter.milliseconds(), len(seen)
        after = _counts(lambda statement: connection.exec_driver_sql(statement).scalar())
        session.rollback()
    return Taken(read, work, _peak(), statements, _more(before, after))


def _counted(engine: Any) -> list[None]:
    from sqlalchemy import event

    seen: list[None] = []
    event.listen(engine, "before_cursor_execute", lambda *_arguments: seen.append(None))
    return seen


def _counts(scalar: Callable[[str], Any]) -> dict[str, int]:
    return {
        name: int(scalar(f"SELECT count(*) FROM {name}"))  # noqa: S608  # our own names
        for name in (*TABLES, FAULTS)
    }


def _more(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: rows - before[name] for name, rows in after.items() if rows != before[name]}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Import as the first argument says, the file of the third under the spec of the second."""
    way, text, path = sys.argv[1:]
    spec = Spec(**json.loads(text))
    if way == "floor":
        taken = by_floor(spec, Path(path))
    else:
        app = application(replace(spec, kind="product"))
        taken = by_product(app, spec, Path(path), is_dry=way == "dry")
    print(json.dumps(asdict(taken)))


if __name__ == "__main__":
    main()
