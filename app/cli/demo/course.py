"""Choose the way that a finding goes, and where it stops though time goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from app.cli.demo.visit import Found

EVIDENCE = "evidence"
CORRECTABLE = {"plain", "document"}
STOPS = ("", "served", "claimed", "objected")


@dataclass(frozen=True, slots=True)
class Course:
    """The way a finding goes, and where it stops though time goes on."""

    way: str
    """``visit``, ``evidence``, ``uphold``, ``dismiss``, ``reopen`` or ``withdraw``."""
    stops: str = ""
    """``served``, ``objected``, ``claimed`` or ``reopened``."""


CERTAIN = (
    Course("visit"),
    Course("evidence"),
    Course("uphold"),
    Course("dismiss"),
    Course("reopen"),
    Course("withdraw"),
    Course("visit", "served"),
    Course("uphold", "objected"),
    Course("visit", "claimed"),
    Course("reopen", "reopened"),
)
"""What there is in every county with enough findings: the oldest take these courses."""


@dataclass(slots=True)
class Chooser:
    """Choose courses: first those that every county has, then by chance."""

    random: Random
    certain: list[Course] = field(default_factory=lambda: list(CERTAIN))

    def choose(self, found: Found) -> Course:
        """Return the course of a finding."""
        for course in self.certain:
            if suits(course, found):
                self.certain.remove(course)
                return course
        closing = EVIDENCE if found.item.closing == EVIDENCE else "visit"
        ways = (closing, "visit", "uphold", "dismiss", "reopen", "withdraw")
        way = self.random.choices(ways, (50, 30, 5, 4, 9, 2))[0]
        if not suits(Course(way), found):
            way = "visit"
        return Course(way, self.random.choices(STOPS, (86, 8, 4, 2))[0])


def suits(course: Course, found: Found) -> bool:
    """Tell whether a finding can take a course."""
    if course.way == EVIDENCE:
        return found.item.closing == EVIDENCE
    if course.way == "withdraw":
        return found.child_id is None and found.item.kind in CORRECTABLE
    return True
