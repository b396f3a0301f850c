"""Judge small counties by hand, from the written decisions alone: the calendar and the cadences.

Nothing here asks the product: it is what two people with a calendar and a pencil would do. The
obligations themselves are those of `tests.cadence.oracle`.
"""

from __future__ import annotations

import calendar as months_of
import itertools
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from tests.cadence import oracle as cadence
from tests.cadence.oracle import DAY, Campus, World, days

LONG_AGO = date(2024, 2, 26)
VALUES = {
    "core.fortnight_gap_days": 15,
    "core.feedback_days": 3,
    "core.return_visit_days": 10,
    "suspension.joint_visits": 3,
    "suspension.renewal_joint_visits": 1,
    "suspension.visit_months": 3,
    "suspension.semester_visits": 2,
    "suspension.short_semester_visits": 1,
    "suspension.year_visits": 4,
    "home_teaching.month_visits": 2,
    "home_teaching.visit_hours": 3,
    "home_teaching.hour_minutes": 30,
    "home_teaching.day_hours": 6,
    "home_teaching.year_hours": 60,
    "roll_and_attendance.suspected_absence_days": 3,
    "roll_and_attendance.at_risk_absences": 5,
    "roll_and_attendance.at_risk_window_days": 20,
    "roll_and_attendance.determination_days": 20,
    "roll_and_attendance.personal_leave_days": 10,
    "roll_and_attendance.sick_leave_days": 20,
    "roll_and_attendance.transfer_at_risk_days": 10,
    "core.leave_paper_days": 3,
}
"""What the policy and the decisions say; a frame may change a value from a day on."""
Key = tuple[str, object, date]
"""A rule, what it judges, and the day that names the period."""
Verdicts = dict[Key, tuple[object, object]]
"""What was observed and what is asked for, where a rule speaks up."""


OUTCOMES: Counter[tuple[str, bool]] = Counter()
"""How often each rule spoke up where it could, and how often it kept silent."""


def speaks(rule: str, fires: bool) -> bool:  # the condition itself
    """Note on which side of its edge a rule's case lies; return whether it fires."""
    OUTCOMES[rule, bool(fires)] += 1
    return bool(fires)


@dataclass
class Frame:
    """A calendar of two school years, the values in force, and the day of judging."""

    before: tuple[date, date]
    year: tuple[date, date]
    semesters_before: list[tuple[date, date]]
    semesters: list[tuple[date, date]]
    off: set[date]
    make_up: set[date]
    changes: dict[str, tuple[date, int]] = field(default_factory=dict)
    as_of: date = LONG_AGO

    def all_semesters(self) -> list[tuple[date, date]]:
        return [*self.semesters_before, *self.semesters]

    def value(self, key: str, day: date) -> int:
        since, changed = self.changes.get(key, (date.max, 0))
        return changed if day >= since else VALUES[key]

    def is_working(self, day: date) -> bool:
        return day in self.make_up or (day.weekday() < 5 and day not in self.off)

    def in_term(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.all_semesters())

    def is_school_day(self, day: date) -> bool:
        return self.is_working(day) and self.in_term(day)

    def is_vacation(self, day: date) -> bool:
        """A day between two semesters."""
        ends = any(last < day for _first, last in self.all_semesters())
        starts = any(first > day for first, _last in self.all_semesters())
        return ends and starts and not self.in_term(day)

    def working_days(self, after: date, until: date, *, in_term: bool = False) -> int:
        """Count the working days elapsed after a day; some clocks stop in vacations."""
        return sum(
            self.is_working(day) and not (in_term and self.is_vacation(day))
            for day in days(after + DAY, until)
        )

    def school_open(self, campus: Campus, day: date) -> bool:
        """The school's own exception wins over the county's calendar."""
        return campus.closures.get(day, self.is_school_day(day))


def add_months(day: date, count: int) -> date:
    """The same day some months later, clipped to the month's end."""
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, months_of.monthrange(year, month)[1]))


def judged_cadences(frame: Frame, world: World) -> Verdicts:
    """CAD-1 to CAD-5: an obligation is missed, or done late. CAD-GAP: too long between two."""
    found: Verdicts = {}
    obligations = cadence.expected(world, frame.as_of)
    for (kind, school, first), (campus, last, due) in obligations.items():
        status = cadence.status(world, kind, campus, (first, last, due), frame.as_of)
        if speaks(f"{kind}.obligation", status in {"missed", "late"}):
            found[f"{kind}.obligation", school, first] = (status, due)
    for kind, (every, _capacity, _own, _counts) in cadence.KINDS.items():
        if every == "fortnight":
            found |= _gaps(frame, world, kind, obligations)
    return found


def _gaps(frame: Frame, world: World, kind: str, obligations: dict) -> Verdicts:
    """Two consecutive confirmed visits of a fortnightly series within one semester."""
    found: Verdicts = {}
    key = "core.fortnight_gap_days"
    for campus in world.campuses:
        for semester in world.semesters:
            spans = [
                (first, last)
                for (its_kind, school, first), (_campus, last, due) in obligations.items()
                if (its_kind, school) == (kind, campus.id) and semester[0] <= due <= semester[1]
            ]
            visited = sorted(
                {
                    seen.day
                    for seen in world.seen
                    if seen.campus is campus
                    and any(first <= seen.day <= last for first, last in spans)
                    and _is_confirmed(world, seen, kind, frame.as_of)
                }
            )
            for earlier, later in itertools.pairwise(visited):
                between = [
                    day
                    for day in days(earlier + DAY, later - DAY)
                    if frame.school_open(campus, day)
                ]
                fortnight = next(last for first, last in spans if first <= earlier <= last)
                most = frame.value(key, fortnight)
                if speaks(f"{kind}.gap", len(between) > most):
                    found[f"{kind}.gap", campus.id, earlier] = (len(between), most)
    return found


def _is_confirmed(world: World, seen: cadence.Seen, kind: str, as_of: date) -> bool:
    """Whether a visit counts for the capacity and was confirmed by the judging day."""
    capacity = cadence.KINDS[kind][1]
    end = cadence.end_of(as_of)
    if seen.day > as_of or seen.submitted >= end or (seen.denied and seen.denied < end):
        return False
    if not cadence.KINDS[seen.kind][3] or capacity not in seen.people:
        return False
    return cadence.rank(world, seen, capacity, "fortnight", as_of) in {0, 1}
