"""Give a rule its own parameters as plain attributes, constant over one window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy.orm import Session

from app.base import registry
from app.parameters.value import Dated, Parameters, Value, load_parameters


class UnknownSetting(AttributeError):
    """Report a name that the plugin does not declare as a parameter."""


class NoValue(LookupError):
    """Report that a declared parameter has no value on the day: the thing does not apply."""


class Settings:
    """Hold the values in force on a day: `settings.days` is the parameter `<plugin>.days`."""

    __slots__ = ("_dated", "_used")

    def __init__(self, dated: Mapping[str, Dated | None]) -> None:
        self._dated = dict(dated)
        self._used: set[str] = set()

    def __getattr__(self, name: str) -> Value:
        """Return the value of a parameter by its short name."""
        if name.startswith("__") or name not in self._dated:
            raise UnknownSetting(name)
        dated = self._dated[name]
        if dated is None or dated.value is None:
            raise NoValue(name)
        self._used.add(name)
        return dated.value

    def used(self) -> tuple[Dated, ...]:
        """Return the values that were asked for, with clause and basis, in order of name."""
        return tuple(dated for name in sorted(self._used) if (dated := self._dated[name]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self._dated == other._dated

    def __hash__(self) -> int:
        return hash(tuple(sorted(self._dated)))


def settings_on(parameters: Parameters, prefix: str, names: Iterable[str], day: date) -> Settings:
    """Return the settings of a plugin on a day; `names` are the parameters that it declares."""
    return settings_by(parameters, (f"{prefix}.{name}" for name in names), day)


def settings_by(parameters: Parameters, keys: Iterable[str], day: date) -> Settings:
    """Return the settings on a day of parameters by their full keys, under their short names."""
    return Settings({key.partition(".")[2]: parameters.dated(key, day) for key in keys})


def settings_of(
    session: Session, plugin: str, day: date, *, parameters: Parameters | None = None
) -> Settings:
    """Return the settings of a plugin on a day, read in one statement unless they are given."""
    names = registry.parameter_names(plugin)
    if parameters is None:
        parameters = load_parameters(session, [f"{plugin}.{name}" for name in names])
    return settings_on(parameters, plugin, names, day)
