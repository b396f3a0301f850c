"""Grant what the manifest cannot say: who takes lists out of the product, who opens lines again."""

from __future__ import annotations

from collections.abc import Iterable

from app.kit import Grant, hookimpl

EXPORTING = (
    "task_group", "supervision_office", "education_assistant", "township_clerk", "school_leader",
    "school_clerk",
)  # fmt: skip
REOPENING = ("task_group", "supervision_office", "education_assistant")


@hookimpl
def grants() -> Iterable[Grant]:
    """Return the rights."""
    for role in EXPORTING:
        yield Grant(role, "can_export", "ComparisonView")
        yield Grant(role, "can_export", "HeadcountView")
    for role in REOPENING:
        yield Grant(role, "can_reopen", "ResidualView")
