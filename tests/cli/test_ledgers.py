"""Open the ledgers from the command line."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from app import clock
from app.models import LedgerEntry
from tests.plugins.test_roll_and_attendance import MONDAY, absent, weekdays


def test_entries_are_opened_once_as_of_a_day(app, county) -> None:
    days = weekdays(MONDAY, 3)
    child, runner = absent(county, days), app.test_cli_runner()
    asked = ["ledgers", "open", "--as-of", days[-1].isoformat()]

    first, second = runner.invoke(args=asked), runner.invoke(args=asked)

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    (entry,) = county.all(select(LedgerEntry))
    assert (entry.child_id, entry.category, entry.opened_on) == (child.id, "A", days[-1])


def test_day_that_has_not_come_opens_nothing(app, county) -> None:
    tomorrow: date = clock.today() + timedelta(days=1)

    told = app.test_cli_runner().invoke(args=["ledgers", "open", "--as-of", tomorrow.isoformat()])

    assert told.exit_code == 2
    assert "the day lies in the future" in told.output
