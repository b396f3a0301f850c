"""Give a rule its own parameters as plain attributes, constant over one window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from app.parameters.value import Dated, Parameters, Value


class UnknownSetting(AttributeError):
    """Report a name that no parameter of the plugin has."""


class Settings:
    """Hold the values that are in force: `settings.days` is the parameter `<plugin>.days`."""

    __slots__ = ("_dated", "day", "prefix")

    def __init__(self, prefix: str, day: date, dated: Mapping[str, Dated]) -> None:
        self.prefix = prefix
        self.day = day
        self._dated = dict(dated)

    def __getattr__(self, name: str) -> Value:
        """Return the value of a parameter by its short name."""
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._dated.get(name)
        if found is None or found.value is None:
            raise UnknownSetting(name, name=name, obj=None)
        return found.value

    def dated(self, name: str) -> Dated | None:
        """Return a value with the day it came into force, its clause and its basis."""
        return self._dated.get(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[tuple[str, Dated], ...]:
        return tuple(sorted(self._dated.items()))


def settings_on(
    parameters: Parameters, prefix: str, names: Iterable[str], day: date
) -> Settings | None:
    """Return the settings of a day; None where a parameter has no value: nothing applies."""
    dated: dict[str, Dated] = {}
    for name in names:
        key = name if "." in name else f"{prefix}.{name}"
        found = parameters.dated(key, day)
        if found is None:
            return None
        dated[name.rpartition(".")[2]] = found
    return Settings(prefix, day, dated)
