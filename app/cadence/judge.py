"""Hold what judging obligations as of a day needs: the calendar, the values, the time limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import Boolean, Date, column, select
from sqlalchemy import values as table_of_values
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import CTE

from app import clock
from app.cadence.calendar import ONE_DAY, Calendar, days_after, load_calendar
from app.columns import UtcDateTime
from app.models import Township
from app.parameters.value import Parameters, load_parameters

VACANCY: Final = {"fortnight": "core.vacancy_fortnight_days", "month": "core.vacancy_month_days"}
"""For each cadence the school days without a holder that excuse its obligation."""
PARAMETERS: Final = (
    "core.confirmation_days",
    "core.daily_late_school_days",
    "core.daily_sync_hours",
    "core.backfill_grace_days",
    *VACANCY.values(),
)
REACH: Final = timedelta(days=60)
"""No holiday keeps a number of working or school days from elapsing for longer."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Hold what judging a stretch of days as of one day needs, read once."""

    as_of: date
    first: date
    last: date
    calendar: Calendar
    parameters: Parameters
    grace: Mapping[int, datetime]
    """Until when what is entered for the time before is never late, by township."""


def load_judge(
    session: Session,
    as_of: date,
    first: date,
    last: date,
    county_id: int | None = None,
    *,
    parameters: Parameters | None = None,
) -> Judge:
    """Read the calendar and the values for obligations of the periods between two days."""
    calendar = load_calendar(session, first, last + REACH, county_id)
    values = load_parameters(session, PARAMETERS) if parameters is None else parameters
    return Judge(as_of, first, last, calendar, values, _grace(session, values))


def _grace(session: Session, parameters: Parameters) -> dict[int, datetime]:
    live = select(Township.id, Township.go_live_on).where(Township.go_live_on.is_not(None))
    ends = {}
    for township_id, go_live_on in session.execute(live):
        assert go_live_on is not None
        days = int(parameters.on("core.backfill_grace_days", go_live_on) or 0)
        ends[township_id] = end_of(go_live_on + timedelta(days=days))
    return ends


def judged_days(judge: Judge) -> CTE:
    """Return each day with the instants by which what was done on it counts."""
    columns = (
        column("day", Date),
        column("is_school_day", Boolean),
        column("ends", UtcDateTime),
        column("synced_by", UtcDateTime),
        column("confirmed_by", UtcDateTime),
        column("late_by", UtcDateTime),
    )
    rows = list(_instants(judge))
    return table_of_values(*columns, name="judged_days").data(rows).cte("judged_day")


def _instants(judge: Judge) -> Iterator[tuple[date, bool, datetime, datetime, datetime, datetime]]:
    calendar = judge.calendar
    for day in days_after(judge.first - ONE_DAY, judge.last):
        confirm = int(judge.parameters.on("core.confirmation_days", day) or 0)
        late = int(judge.parameters.on("core.daily_late_school_days", day) or 0)
        sync = timedelta(hours=int(judge.parameters.on("core.daily_sync_hours", day) or 0))
        yield (
            day,
            calendar.is_school_day(day),
            end_of(day),
            end_of(day) + sync,
            end_of(_last_day(day, confirm, calendar.is_working_day)),
            end_of(_last_day(day, late, calendar.is_school_day)),
        )


def _last_day(day: date, count: int, counts: Callable[[date], bool]) -> date:
    """Return the last day on which no more than `count` days that count have elapsed."""
    elapsed = 0
    for following in days_after(day, day + REACH):
        elapsed += counts(following)
        if elapsed > count:
            return following - ONE_DAY
    return day + REACH


def end_of(day: date) -> datetime:
    """Return the instant at which a day ends here."""
    return datetime.combine(day + ONE_DAY, time(), clock.zone()).astimezone(UTC)
