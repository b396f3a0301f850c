"""Read the processor time of a PostgreSQL server's processes, where they run on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import create_engine, text

SERVING = text(
    "SELECT pid FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class Backends:
    """The processes that serve the connections of one database's server, as they are now.

    On SQLite, and for a server elsewhere, there are none.
    """

    def __init__(self, url: str) -> None:
        self._pids = [pid for pid in _serving(url) if _is_here(pid)]

    def milliseconds(self) -> Mapping[int, float]:
        """Return what each process has taken so far; those that ended are left out."""
        return {pid: taken for pid in self._pids if (taken := _taken(pid)) is not None}

    def since(self, before: Mapping[int, float]) -> float:
        """Return what all of them took together since then."""
        now = self.milliseconds()
        return sum(taken - before[pid] for pid, taken in now.items() if pid in before)


def _serving(url: str) -> list[int]:
    engine = create_engine(url)
    try:
        if engine.dialect.name != "postgresql":
            return []
        with engine.connect() as connection:
            return list(connection.scalars(SERVING))
    finally:
        engine.dispose()


def _is_here(pid: int) -> bool:
    path = Path(f"/proc/{pid}/comm")
    return path.is_file() and path.read_text(encoding="utf-8").startswith("postgres")


def _taken(pid: int) -> float | None:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6
    except OSError:
        return None
