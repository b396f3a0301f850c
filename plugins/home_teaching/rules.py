"""Declare the rules on home teaching 送教上门: HT-1 to HT-4, pace, eligibility and the roster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.kit import Rule, _l, hookimpl

from .documents import incomplete, without_material
from .doubles import other_sessions, two_homes
from .evidence import of_cases, of_months, of_roster, of_years
from .judgement import (
    SESSION,
    behind_the_pace,
    not_eligible,
    not_linked,
    short_hours,
    short_visits,
    too_few_hours,
    too_few_visits,
)

CLAUSE: Final = "LP24-A1-4-3h"


@hookimpl
def rules() -> Iterable[Rule]:
    """Return the rules on home teaching."""
    return [
        Rule(
            key="home_teaching.visits_each_month",
            code="HT-1",
            clause=CLAUSE,
            subject="child",
            period="school_month",
            severity="violation",
            absent="violation",
            select=too_few_visits,
            evidence=of_months,
            message=_l("%(observed)s qualifying visits in the month; %(required)s are required"),
            bound="≥",
            unit=_l("visits"),
        ),
        Rule(
            key="home_teaching.class_hours_each_visit",
            code="HT-2",
            clause=CLAUSE,
            subject=SESSION,
            period="school_month",
            severity="violation",
            absent="skip",
            select=short_visits,
            message=_l(
                "The visit counts %(observed)s class hours; one that qualifies has %(required)s, "
                "and the month lacks it"
            ),
            bound="≥",
            unit=_l("class hours"),
        ),
        Rule(
            key="home_teaching.minutes_each_class_hour",
            code="HT-3",
            clause=CLAUSE,
            subject=SESSION,
            period="month",
            severity="violation",
            absent="skip",
            select=short_hours,
            message=_l("%(observed)s class hours are stated; the minutes hold %(required)s"),
            bound="≤",
            unit=_l("class hours"),
        ),
        Rule(
            key="home_teaching.class_hours_each_year",
            code="HT-4",
            clause=CLAUSE,
            subject="child",
            period="past_school_year",
            severity="violation",
            absent="violation",
            select=too_few_hours,
            evidence=of_years,
            message=_l("%(observed)s class hours in the year; %(required)s are required"),
            bound="≥",
            unit=_l("class hours"),
        ),
        Rule(
            key="home_teaching.pace",
            code="HT-PACE",
            clause=CLAUSE,
            subject="child",
            period="none",
            severity="warning",
            absent="violation",
            select=behind_the_pace,
            evidence=of_years,
            message=_l(
                "%(observed)s class hours so far; the months that are over ask for %(required)s"
            ),
            bound="≥",
            unit=_l("class hours"),
        ),
        Rule(
            key="home_teaching.documents",
            code="DOC-HT",
            clause="LP24-A1-4-3",
            subject="child",
            period="none",
            severity="violation",
            absent="violation",
            select=incomplete,
            evidence=of_cases,
            message=_l("%(observed)s of %(required)s documents of the case are complete"),
            bound="≥",
            unit=_l("papers"),
        ),
        Rule(
            key="home_teaching.session_material",
            code="DOC-HT",
            clause="LP24-A1-4-3g",
            subject=SESSION,
            period="school_year",
            severity="violation",
            absent="violation",
            select=without_material,
            message=_l("%(observed)s of %(required)s parts: lesson plan, record, pictures"),
            bound="≥",
            unit=_l("papers"),
        ),
        Rule(
            key="home_teaching.eligibility",
            code="HT-ELIG",
            clause="LP24-1-2",
            subject="child",
            period="none",
            severity="violation",
            absent="violation",
            select=not_eligible,
            message=_l("The determination does not say that the child cannot learn at a school"),
        ),
        Rule(
            key="home_teaching.roster",
            code="HT-LINK",
            clause="LP24-A1-4-1",
            subject="child",
            period="none",
            severity="violation",
            absent="violation",
            select=not_linked,
            evidence=of_roster,
            message=_l(
                "The child is taught at home and not on the disability roster, or is on it and "
                "placed nowhere"
            ),
        ),
        Rule(
            key="home_teaching.teacher_in_two_homes",
            code="DUP-1",
            clause="LP24-A1-4-3g",
            subject=SESSION,
            period="school_year",
            severity="violation",
            absent="skip",
            select=two_homes,
            evidence=other_sessions,
            message=_l("A teacher was in %(observed)s other homes at the same time"),
        ),
    ]
