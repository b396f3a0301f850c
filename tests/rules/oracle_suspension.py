"""Judge suspensions and deferrals by policy by hand: SUS-1 to SUS-6 and what warns before them."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.rules.oracle import DAY, Campus, Frame, Verdicts, add_months, days, speaks

FORMS = ("determination_form", "parent_application", "school_statement", "case_plan")
PROOFS = ("guardian_duty", "refusal", "group_consent")
DEPARTMENTS = frozenset({"township_government", "judicial_office", "womens_federation"})
OTHERS = ("school", "village_committee", "education_bureau")


@dataclass(eq=False)
class Call:
    """A persuasion or home visit to one child."""

    day: date
    kinds: frozenset[str]
    is_persuasion: bool = True
    is_remote: bool = False
    met_child: bool = True
    met_guardian: bool = False
    has_evidence: bool = True
    id: int = 0

    def is_real(self) -> bool:
        """Made to persuade, in person, child or guardian met, with evidence."""
        met = self.met_child or self.met_guardian
        return self.is_persuasion and met and self.has_evidence and not self.is_remote

    def is_joint(self) -> bool:
        """At least two kinds of organisation, one of them government or a department."""
        return self.is_real() and len(self.kinds) >= 2 and bool(self.kinds & DEPARTMENTS)


@dataclass(eq=False)
class Away:
    """A case of suspension or deferral."""

    campus: Campus
    kind: str
    counted_from: date
    approved: date | None
    expires: date | None
    back: date | None
    back_by_status: bool
    papers: dict[str, tuple[str | None, date | None]]
    """The papers with their number and day; those of the other kinds have neither."""
    renews: Away | None = None


@dataclass(eq=False)
class Pupil:
    """A child with its cases and the visits to it."""

    campus: Campus
    born: date | None
    has_class: bool
    cases: list[Away] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    id: int = 0


def made_pupils(dice: random.Random, frame: Frame, campuses: list[Campus]) -> list[Pupil]:
    """Make cases of all ages, with visits close to every edge."""
    return [_pupil(dice, frame, dice.choice(campuses)) for _ in range(14)]


def _pupil(dice: random.Random, frame: Frame, campus: Campus) -> Pupil:
    old = frame.as_of - timedelta(days=dice.randint(0, 500))
    approved = dice.choice([old, old, max(old, campus.town.live), date(2025, 8, 31)])
    length = dice.choice([30, 90, 180, 364, 365])
    expires = approved + timedelta(days=length)
    if dice.random() < 0.3:
        expires = frame.as_of - timedelta(days=dice.randint(0, 5))
    expires = max(expires, approved)
    back = None
    if dice.random() < 0.4:
        back = expires + timedelta(days=dice.choice([-60, -30, -1, 0, 1, 2, 3, 4, 10]))
        back = max(back, approved + DAY)
    born = dice.choice([None, approved - timedelta(days=365 * 16 - dice.randint(0, 300))])
    one = Pupil(campus, born, dice.random() < 0.4)
    kind = dice.choice(
        ["policy_suspension", "policy_deferral", "policy_suspension", "medical_suspension"]
    )
    case = Away(
        campus, kind, approved - timedelta(days=dice.randint(10, 60)), approved, expires, back,
        dice.random() < 0.3, _papers(dice, approved),
    )  # fmt: skip
    one.cases.append(case)
    if dice.random() < 0.3 and back is None:
        again = expires + timedelta(days=dice.choice([-5, 0, 1, 2, 3, 4]))
        if again > approved:
            one.cases.append(
                Away(
                    campus, kind, approved + DAY, again, again + timedelta(days=200), None, False,
                    _papers(dice, again), case,
                )
            )  # fmt: skip
    one.calls = [_call(dice, day) for day in _days_of_calls(dice, frame, one)]
    return one


def _papers(dice: random.Random, approved: date) -> dict[str, tuple[str | None, date | None]]:
    held: dict[str, tuple[str | None, date | None]] = {}
    for kind in (*FORMS, *PROOFS):
        if dice.random() < 0.9:
            held[kind] = (None, None)
    for kind, chance in (("group_consent", 0.9), ("court_ruling", 0.2)):
        held.pop(kind, None)
        if dice.random() < chance:
            later = timedelta(days=dice.choice([-3, 0, 0, 1]))
            held[kind] = (dice.choice(["1号", "1号", None]), approved + later)
    return held


def _days_of_calls(dice: random.Random, frame: Frame, one: Pupil) -> list[date]:
    """Days before the approvals and after them, many of them just at an edge."""
    found = []
    for case in one.cases:
        found += [
            case.approved - timedelta(days=dice.choice([0, 1, 2, 4, 6, 7, 20, 70]))
            for _ in range(dice.randint(1, 5))
        ]
        since = case.approved
        while since < frame.as_of and dice.random() < 0.8:
            edge = add_months(since, 3) if dice.random() < 0.6 else since + timedelta(days=40)
            since = max(edge + timedelta(days=dice.choice([-1, 0, 0, 1, 2])), since + DAY)
            found.append(since)
        if case.back and dice.random() < 0.5:
            found.append(case.back)
    return sorted(day for day in found if day <= frame.as_of)


def _call(dice: random.Random, day: date) -> Call:
    kinds = {"school"}
    if dice.random() < 0.8:
        kinds.add(dice.choice(sorted(DEPARTMENTS)))
    if dice.random() < 0.3:
        kinds.add(dice.choice(OTHERS))
    return Call(
        day, frozenset(kinds), dice.random() < 0.95, dice.random() < 0.05, dice.random() < 0.8,
        dice.random() < 0.8, dice.random() < 0.95,
    )  # fmt: skip


def judged_suspensions(frame: Frame, pupils: list[Pupil]) -> Verdicts:
    """Return what the rules say of the cases, each judged alone."""
    found: Verdicts = {}
    for one in pupils:
        for case in one.cases:
            if case.kind in {"policy_suspension", "policy_deferral"} and case.approved:
                found |= _of_approval(frame, one, case)
                found |= _of_stretches(frame, one, case)
                found |= _of_semesters(frame, one, case)
                found |= _of_years(frame, one, case)
                found |= _of_expiry(frame, one, case)
    return found


def _of_approval(frame: Frame, one: Pupil, case: Away) -> Verdicts:
    """Before the approval: visits, papers; nothing of what is older than the go-live."""
    day, found = case.approved, {}
    assert day is not None
    if day < case.campus.town.live or day > frame.as_of:
        return {}
    joint = sorted({c.day for c in one.calls if case.counted_from <= c.day < day and c.is_joint()})
    name = "renewal_joint_visits" if case.renews else "joint_visits"
    required = frame.value(f"suspension.{name}", day)
    held = {kind for kind in case.papers if _holds(case, kind, day)}
    fires = len(joint) < required and "court_ruling" not in held
    if speaks("suspension.joint_visits_before", fires):
        found["suspension.joint_visits_before", one.id, day] = (len(joint), required)
    crowd = max((sum(0 <= (d - first).days < 7 for d in joint) for first in joint), default=0)
    if speaks("suspension.crowded_visits", crowd >= 3):
        found["suspension.crowded_visits", one.id, day] = (crowd, 7)
    for rule, kinds in (("consent_and_proofs", PROOFS), ("forms", FORMS)):
        there = sum(kind in held for kind in kinds)
        if speaks(f"suspension.{rule}", there < len(kinds)):
            found[f"suspension.{rule}", one.id, day] = (there, len(kinds))
    return found


def _holds(case: Away, kind: str, day: date) -> bool:
    """Papers from outside need their number, and a day no later than the approval."""
    number, dated = case.papers[kind]
    if kind not in {"group_consent", "court_ruling"}:
        return True
    return number is not None and dated is not None and dated <= day


def _active(one: Pupil, case: Away) -> tuple[date, date, date]:
    """First and last active day, and the last day on which a visit counts."""
    assert case.approved
    assert case.expires
    first, last = max(case.approved, case.campus.town.live), case.expires
    if one.born and not one.has_class:
        last = min(last, add_months(one.born, 16 * 12) - DAY)
    counts = min(last, case.back) if case.back else last
    return first, min(last, case.back - DAY) if case.back else last, counts


def _visits(one: Pupil, case: Away, first: date, last: date) -> set[date]:
    """Visits after the approval need not be joint; one on the day of the return counts."""
    assert case.approved
    counts = _active(one, case)[2]
    return {
        call.day
        for call in one.calls
        if call.is_real() and case.approved < call.day <= counts and first <= call.day <= last
    }


def _of_stretches(frame: Frame, one: Pupil, case: Away) -> Verdicts:
    """SUS-2: three months after the approval, the go-live or a visit, another one is due."""
    first, last, counts = _active(one, case)
    months = frame.value("suspension.visit_months", first)
    found: Verdicts = {}
    for since in {first, *_visits(one, case, first, counts)}:
        due = add_months(since, months)
        came = [c for c in one.calls if c.is_real() and since < c.day <= due]
        fires = due <= last and due < frame.as_of and not came
        if speaks("suspension.visit_each_quarter", fires):
            found["suspension.visit_each_quarter", one.id, since] = (due, months)
    return found


def _of_semesters(frame: Frame, one: Pupil, case: Away) -> Verdicts:
    """SUS-3: from the start of a semester to the start of the next one."""
    first, last, _counts = _active(one, case)
    found: Verdicts = {}
    starts = [start for start, _end in frame.all_semesters()]
    for start, following in itertools.pairwise(starts):
        end = following - DAY
        begin = max(first, start)
        active = (min(last, end) - begin).days + 1
        if active <= 0 or end >= frame.as_of:
            continue
        whole = (following - start).days
        name = "short_semester_visits" if active * 2 < whole else "semester_visits"
        required = 0 if active < 30 else frame.value(f"suspension.{name}", end)
        made = len(_visits(one, case, begin, end))
        if speaks("suspension.visits_each_semester", made < required):
            found["suspension.visits_each_semester", one.id, begin] = (made, required)
    return found


def _of_years(frame: Frame, one: Pupil, case: Away) -> Verdicts:
    """SUS-4: each twelve months, the last ones by their full months. SUS-PACE: the running ones."""
    first, last, _counts = _active(one, case)
    found: Verdicts = {}
    for number in range(9):
        begin = add_months(first, 12 * number)
        year_end = add_months(first, 12 * number + 12) - DAY
        if begin > last:
            break
        end = min(last, year_end)
        if end < frame.as_of:
            required = _share(frame, first, number, end + DAY, end)
            made = len(_visits(one, case, begin, year_end))
            if speaks("suspension.visits_each_year", made < required):
                found["suspension.visits_each_year", one.id, begin] = (made, required)
        elif begin <= frame.as_of:
            required = _share(frame, first, number, frame.as_of, frame.as_of)
            made = len(_visits(one, case, begin, frame.as_of))
            if speaks("suspension.pace", made < required):
                found["suspension.pace", one.id, begin] = (made, required)
    return found


def _share(frame: Frame, first: date, number: int, until: date, day: date) -> int:
    full = sum(add_months(first, 12 * number + n) <= until for n in range(1, 13))
    return frame.value("suspension.year_visits", day) * full // 12


def _of_expiry(frame: Frame, one: Pupil, case: Away) -> Verdicts:
    """SUS-6: ended without a return or a new approval up to the next school day."""
    first, last, _counts = _active(one, case)
    assert case.approved
    assert case.expires
    if last != case.expires or last < first:
        return {}
    open_days = (
        day for day in days(last + DAY, last + timedelta(days=400))
        if frame.school_open(case.campus, day)
    )  # fmt: skip
    following = next(open_days, None)
    if following is None:  # where no calendar reaches, weekdays stand in
        following = next(d for d in days(last + DAY, last + timedelta(days=3)) if d.weekday() < 5)
    if following >= frame.as_of:
        return {}
    renewed = any(
        other.approved and case.approved < other.approved <= following for other in one.cases
    )
    came_back = case.back is not None and case.back <= following
    if speaks("suspension.expired", not renewed and not came_back):
        return {("suspension.expired", one.id, last): (following, last)}
    return {}
