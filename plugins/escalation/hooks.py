"""Bring the three ladders: of inspectors, of schools, of townships."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.kit import Ladder, Rung, _l, hookimpl

DEPUTY: Final = "副"
"""What the title of a deputy head's office contains; a head's does not."""
HEAD: Final = f"^(?!.*{DEPUTY})"


DEPARTMENT: Final = ("liaison_department",)
TOWNSHIP_LEADERS: Final = ("township_leader",)


@hookimpl
def ladders() -> Iterable[Ladder]:
    """Return the ladders; a vacant step goes up to the next one."""
    return [
        Ladder(
            "escalation.inspector",
            ("liaison_department", "liaison_leader"),
            (
                Rung("inspector", DEPARTMENT, is_named=True),
                _department("inspector_to_department"),
                Rung(
                    "leader",
                    ("liaison_leader",),
                    _l("Told to the liaison leader"),
                    "department_to_leader",
                ),
                _task_group("leader_to_task_group"),
            ),
        ),
        Ladder(
            "escalation.school",
            ("school_leader", "school_clerk", "class_teacher"),
            (
                Rung("principal", ("school_leader",)),
                _department("school_to_department"),
                Rung(
                    "bureau",
                    ("supervision_office",),
                    _l("Told to the education bureau"),
                    "department_to_bureau",
                ),
            ),
        ),
        Ladder(
            "escalation.township",
            ("township_leader", "township_cadre", "education_assistant", "township_clerk"),
            (
                Rung("village", ("township_cadre", "education_assistant")),
                Rung(
                    "deputy",
                    TOWNSHIP_LEADERS,
                    _l("Told to the deputy head of the township"),
                    "village_to_deputy",
                    office=DEPUTY,
                ),
                Rung(
                    "head",
                    TOWNSHIP_LEADERS,
                    _l("Told to the head of the township"),
                    "deputy_to_head",
                    office=HEAD,
                ),
                _task_group("head_to_task_group"),
            ),
        ),
    ]


def _department(days: str) -> Rung:
    return Rung("department", DEPARTMENT, _l("Told to the liaison department"), days)


def _task_group(days: str) -> Rung:
    return Rung("task_group", ("task_group",), _l("Told to the task group"), days)
