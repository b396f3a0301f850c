"""Configure the applications of the benchmark: a database and an instance folder of their own."""

from __future__ import annotations

from pathlib import Path

from config import Config


class BenchConfig(Config):
    """The shipped settings on the benchmark's database, with further plugin folders if any."""

    LOGIN_RATE_PER_ADDRESS = "100000 per minute"

    def __init__(self, folder: Path, url: str, more_plugins: tuple[Path, ...] = ()) -> None:
        self._url = url
        super().__init__({"INSTANCE_DIR": str(folder)})
        self.PLUGIN_DIRS = (*Config.PLUGIN_DIRS, *more_plugins)

    def database_url(self, env: dict[str, str]) -> str:
        """Return the address of the benchmark's database."""
        return self._url
