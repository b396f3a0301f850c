"""Say between which figures a value can lie at all, whatever a policy chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Limit:
    """The least and the greatest value of a unit."""

    least: int
    most: int

    def holds(self, value: Decimal | float) -> bool:
        """Tell whether a value lies inside, ends included."""
        return self.least <= value <= self.most


TEN_YEARS = 3660
LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "count": Limit(0, 1_000_000),
        "percent": Limit(0, 100),
        "day": Limit(0, TEN_YEARS),
        "school_day": Limit(0, TEN_YEARS),
        "working_day": Limit(0, TEN_YEARS),
        "week": Limit(0, TEN_YEARS // 7),
        "month": Limit(0, TEN_YEARS // 30),
        "year": Limit(0, 120),
        "hour": Limit(0, TEN_YEARS * 24),
        "clock_hour": Limit(0, 23),
        "minute": Limit(0, TEN_YEARS * 24 * 60),
        "class_hour": Limit(0, 10_000),
        "flag": Limit(0, 1),
    }
)
"""What no calendar and no clock can do otherwise: days are counted from a date that must exist."""
