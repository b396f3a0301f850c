"""The status of a child: it changes by events only, along the steps of the table, in order."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.base import Refused
from app.extensions import db
from app.models import Child, ChildStatus, StatusEvent
from app.workflow.child import age_on, age_warning, change_status
from tests.conftest import CountyBuilder

SEED = Path(__file__).parents[2] / "seed" / "status.toml"
STATUSES = {row["key"]: row for row in tomllib.loads(SEED.read_text(encoding="utf-8"))["status"]}
FIRST, TODAY = date(2026, 3, 2), date(2026, 3, 10)
ASKED = (
    "enrolled", "suspected", "pending_determination", "dropped_out", "returned",
    "medical_suspension", "medical_deferral", "policy_suspension", "policy_deferral",
    "home_taught", "transfer_under_way", "transferred", "out_of_county", "lost_contact",
    "without_registration", "graduated", "deceased", "abroad",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(STATUSES)), st.integers(-1, 9)), min_size=1, max_size=12
)


@pytest.fixture(autouse=True)
def march() -> Iterator[None]:
    """Stop the clock."""
    with time_machine.travel("2026-03-10T04:00:00+00:00", tick=False):
        yield


@pytest.fixture
def scope(county: CountyBuilder) -> dict[str, int | None]:
    """Return the scope columns of a school."""
    return county.scope_of(county.a_school)


def test_every_status_is_seeded_with_known_next_ones() -> None:
    assert set(ASKED) <= STATUSES.keys()
    for row in STATUSES.values():
        assert set(row["next"]) <= STATUSES.keys()
    assert [key for key, row in STATUSES.items() if not row["next"]] == ["graduated", "deceased"]


def model(steps: list[tuple[str, int]]) -> tuple[str, list[tuple[str, date]]]:
    """Return the status and the events that the seed's table allows, in plain Python."""
    status, kept = "enrolled", [("enrolled", FIRST)]
    for key, after in steps:
        day = FIRST + timedelta(days=after)
        if key in STATUSES[status]["next"] and kept[-1][1] <= day <= TODAY:
            status = key
            kept.append((key, day))
    return status, kept


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_status_follows_the_table_whatever_is_tried(
    scope: dict[str, int | None], app: Any, steps: list[tuple[str, int]]
) -> None:
    with app.app_context():
        session = db.session()
        known = {row.key: row for row in session.scalars(select(ChildStatus))}
        child = Child(name="试", status=known["enrolled"], **scope)
        session.add(child)
        session.flush()
        session.add(event_of(child, known["enrolled"], FIRST))
        session.flush()

        for key, after in steps:
            event = event_of(child, known[key], FIRST + timedelta(days=after))
            before = child.status_id
            try:
                change_status(session, child, event)
            except Refused:
                assert child.status_id == before
            else:
                session.add(event)
                session.flush()

        query = (
            select(ChildStatus.key, StatusEvent.happened_on)
            .join(StatusEvent, StatusEvent.status_id == ChildStatus.id)
            .where(StatusEvent.child_id == child.id)
            .order_by(StatusEvent.id)
        )
        events = [(key, day) for key, day in session.execute(query)]
        status, kept = model(steps)
        assert child.status.key == status
        assert events == kept
        session.rollback()


def event_of(child: Child, status: ChildStatus, day: date) -> StatusEvent:
    """Return an event that is not stored yet."""
    return StatusEvent(
        child_id=child.id,
        status_id=status.id,
        happened_on=day,
        basis="核实",
        county_id=child.county_id,
        township_id=child.township_id,
        school_id=child.school_id,
    )


def test_refusal_names_the_statuses_that_are_allowed(county: CountyBuilder, app: Any) -> None:
    child_id = county.child(status="policy_deferral").id

    with app.app_context():
        session = db.session()
        child = session.get(Child, child_id)
        suspected = session.scalar(select(ChildStatus).filter_by(key="graduated"))
        with pytest.raises(Refused) as caught:
            change_status(session, child, event_of(child, suspected, TODAY))
        session.rollback()

    for name in ("政策性缓学", "毕业", "在读", "未入学"):
        assert name in caught.value.message


@pytest.mark.parametrize(
    ("born_on", "age"),
    [
        (date(2012, 3, 10), 14),
        (date(2012, 3, 11), 13),
        (date(2012, 2, 29), 14),
        (None, None),
    ],
)
def test_age_counts_full_years(born_on: date | None, age: int | None) -> None:
    assert age_on(born_on, TODAY) == age


def test_age_outside_the_dated_limits_is_a_warning(app: Any) -> None:
    with app.app_context():
        session = db.session()
        warned = {
            age: age_warning(session, date(2026 - age, 1, 1)) is not None
            for age in (4, 5, 12, 18, 19)
        }
        session.rollback()

    assert warned == {4: True, 5: False, 12: False, 18: False, 19: True}
