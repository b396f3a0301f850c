"""Describe plugin.toml: every key, its type and its default; all errors carry their path."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import StringConstraints, ValidationError, field_validator

from app.parameters.definition import Key, ParameterSpec, Strict, Text

Code = Annotated[str, StringConstraints(max_length=20)]


class Cadence(Strict):
    """Say how often a type of inspection is due, and where."""

    every: Literal["school_day", "fortnight", "month", "semester", "none"] = "none"
    scope: Literal["each_class", "each_school", "linked_schools", "campaign"] = "each_school"
    only: dict[str, bool | int | str] = {}
    match: Literal["capacity", "own_type"] = "capacity"


class Codes(Strict):
    """Name, by the codes of a catalogue, the rules that the core makes of a cadence."""

    obligation: Code = ""
    gap: Code = ""


class InspectionSpec(Strict):
    """Declare the inspection type that this plugin brings; its key is the plugin's name."""

    clause: str = ""
    checklist: Key
    capacity: Key
    cadence: Cadence = Cadence()
    codes: Codes = Codes()
    counts: bool = False
    feedback: Literal["written_feedback", "rectification_order", "inspection_opinion"] = (
        "written_feedback"
    )
    theme: bool = False
    draw_classes: bool = False
    self_inspection: bool = False
    assigned: Literal["school", "township"] = "school"
    excused_by: tuple[Key, ...] = ()


class ViewGrant(Strict):
    """Give roles rights on one view of the plugin's own."""

    name: str
    read: tuple[Key, ...] = ()
    write: tuple[Key, ...] = ()


class GrantSpec(Strict):
    """Name the role templates that fill and read the plugin's inspections."""

    fill: tuple[Key, ...] = ()
    read: tuple[Key, ...] = ()
    view: tuple[ViewGrant, ...] = ()

    def roles(self) -> frozenset[str]:
        """Return every role key that is named here."""
        of_views = (role for view in self.view for role in (*view.read, *view.write))
        return frozenset((*self.fill, *self.read, *of_views))


class Manifest(Strict):
    """Hold what plugin.toml says."""

    name: Key
    title: Text
    version: str
    core: str
    requires: tuple[Key, ...] = ()
    inspection: InspectionSpec | None = None
    grants: GrantSpec = GrantSpec()
    parameters: dict[Key, ParameterSpec] = {}

    @field_validator("version")
    @classmethod
    def _version_is_pep440(cls, value: str) -> str:
        """Refuse what PEP 440 does not read as a version."""
        try:
            Version(value)
        except InvalidVersion as error:
            raise ValueError('not a version; write for example "2024.1"') from error
        return value

    @field_validator("core")
    @classmethod
    def _core_is_a_range(cls, value: str) -> str:
        """Refuse what PEP 440 does not read as a range of versions."""
        try:
            SpecifierSet(value)
        except InvalidSpecifier as error:
            raise ValueError('not a range of versions; write for example ">=1.0,<2"') from error
        return value

    def fits(self, core_version: str) -> bool:
        """Tell whether this plugin was written for the given core."""
        return SpecifierSet(self.core).contains(core_version, prereleases=True)


def explain(error: ValidationError) -> list[tuple[str, str]]:
    """Return (path, message) of every error that pydantic found."""
    details = error.errors(include_url=False)
    places = [detail["loc"] for detail in details]
    return [
        (_dotted(detail["loc"]), str(detail["msg"]).removeprefix("Value error, "))
        for detail in details
        if not _follows(detail["loc"], places)
    ]


def _follows(location: tuple[Any, ...], places: list[tuple[Any, ...]]) -> bool:
    """Tell whether an error only follows from one inside: a list that is empty without it."""
    return any(len(at) > len(location) and at[: len(location)] == location for at in places)


def _dotted(location: tuple[Any, ...]) -> str:
    """Write a pydantic location the way a TOML author reads it: section[1].item[2].kind."""
    path = ""
    for part in location:
        path += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")
