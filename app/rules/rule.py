"""Describe a rule: what it reads, whom it judges, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Select

from app.parameters.settings import Settings
from app.parameters.window import Period, Window

__all__ = ["COLUMNS", "EVIDENCE_COLUMNS", "Period", "Rule", "RuleSelect", "Window"]

COLUMNS: Final = (
    "subject_type",
    "subject_id",
    "school_id",
    "township_id",
    "period_start",
    "observed",
    "required",
)
"""What a rule's select returns, in this order; `school_id` is null for a township."""
EVIDENCE_COLUMNS: Final = (
    "subject_type",
    "subject_id",
    "period_start",
    "record_type",
    "record_id",
    "day",
    "detail",
)
"""What a select of evidence returns, in this order: the key of what it belongs to, and a record.

`record_type` is the table of the record; `day` and `detail` may be null.
"""

RuleSelect = Callable[[Window, Settings], Select]


@dataclass(frozen=True, slots=True)
class Rule:
    """Judge one thing; its identity is rule + subject + period start.

    `key` is `<plugin>.<noun_phrase>`, `code` the catalogue's short name. `select` must be right
    for any window, so that a run for one school is the same rule on a smaller window. `message`
    is a template over `%(observed)s` and `%(required)s`. `absent` states what missing data means.

    With a `bound` the arithmetic reads "required ≥ 2, observed 1", each with the word `unit`
    behind it; without one the message itself is the arithmetic. The days of the evidence follow.

    With the period `event`, what is judged falls on a day of its own, whenever that was: the
    window's periods cover all time and part where a parameter of the plugin changes, so that each
    event is judged by the values of its day.
    """

    key: str
    code: str
    clause: str
    subject: str
    period: Literal[
        "day",
        "fortnight",
        "month",
        "school_month",
        "semester",
        "school_year",
        "past_school_year",
        "none",
        "event",
    ]
    severity: Literal["violation", "warning"]
    absent: Literal["skip", "violation", "unknown"]
    select: RuleSelect
    evidence: RuleSelect | None = None
    message: Any = ""
    bound: Literal["", "≥", "≤", "="] = ""
    unit: Any = ""
    reads: tuple[str, ...] = ()
    """Full keys of parameters of the core: settings have them under their short names, too."""

    @property
    def plugin(self) -> str:
        """Return the name of the plugin that brings the rule."""
        return self.key.partition(".")[0]
