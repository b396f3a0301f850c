"""Describe parameters as TOML declares them; hold the ground types of all definitions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.parameters.limit import LIMITS

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Unit = Literal[
    "count",
    "percent",
    "day",
    "school_day",
    "working_day",
    "week",
    "month",
    "year",
    "hour",
    "clock_hour",
    "minute",
    "class_hour",
    "flag",
    "text",
]


class Strict(BaseModel):
    """Refuse unknown keys, so that a misspelt one is an error with its path."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DatedValue(Strict):
    """Give a parameter one value from a day on; without a value it no longer applies."""

    start: date = Field(alias="from")
    value: bool | int | Decimal | str | None = None
    clause: str = ""
    basis: Literal["policy", "decision"] = "decision"
    note: str = ""


class ParameterSpec(Strict):
    """Declare one parameter with the values that are known."""

    title: Text
    unit: Unit
    values: tuple[DatedValue, ...] = ()

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        """Refuse two values of one day, and values that are not of the unit."""
        days = [value.start for value in self.values]
        if len(days) != len(set(days)):
            raise ValueError("two values start on the same day")
        for value in self.values:
            if value.value is not None and not _is_of(self.unit, value.value):
                raise ValueError(f"{value.value!r} is not a value of the unit {self.unit}")
        return self


def _is_of(unit: str, value: bool | int | Decimal | str) -> bool:
    """Tell whether a value can be one of the unit and lies within its limits."""
    if unit == "text":
        return isinstance(value, str)
    if unit == "flag":
        return value in (True, False)
    if isinstance(value, bool | str):
        return False
    return LIMITS[unit].holds(value)
