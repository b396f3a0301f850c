"""Ask for dated values: never the current one, always the one of a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from app.extensions import db
from app.models import ParameterValue
from app.parameters.definition import ParameterSpec
from app.parameters.settings import NoValue, UnknownSetting, settings_on
from app.parameters.sync import sync_parameters
from app.parameters.value import Dated, load_parameters, number_on, value_on


def spec(unit: str = "day", *values: tuple[str, object]) -> ParameterSpec:
    """Return a parameter with dated values."""
    dated = [{"from": date.fromisoformat(day), "value": value} for day, value in values]
    return ParameterSpec.model_validate({"title": "Days", "unit": unit, "values": dated})


@pytest.fixture
def session(app):
    with app.app_context():
        yield db.session
        db.session.rollback()
        db.session.remove()


@pytest.mark.parametrize(
    ("day", "value"),
    [("2024-02-25", None), ("2024-02-26", 10), ("2025-12-31", 10), ("2026-01-01", 12)],
)
def test_value_is_the_one_in_force(session, day, value) -> None:
    declared = {"days": spec("day", ("2024-02-26", 10), ("2026-01-01", 12))}

    sync_parameters(session, "test", declared)

    assert value_on(session, "test.days", date.fromisoformat(day)) == value


@pytest.mark.parametrize(
    ("unit", "given", "value"),
    [
        ("count", 3, 3),
        ("percent", Decimal("12.5"), 12.5),
        ("flag", True, True),
        ("flag", 1, True),
        ("text", "市", "市"),
    ],
)
def test_value_has_the_type_of_its_unit(session, unit, given, value) -> None:
    sync_parameters(session, "test", {"thing": spec(unit, ("2024-02-26", given))})

    found = value_on(session, "test.thing", date(2026, 1, 1))

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("unit", "given"),
    [
        ("count", "three"), ("text", 3), ("day", "1"), ("day", -1), ("clock_hour", 24),
        ("percent", 101), ("working_day", 10**9), ("flag", 2),
    ],
)  # fmt: skip
def test_value_of_another_unit_is_refused(unit, given) -> None:
    with pytest.raises(ValidationError):
        spec(unit, ("2024-02-26", given))


def test_two_values_of_one_day_are_refused() -> None:
    with pytest.raises(ValidationError):
        spec("day", ("2024-02-26", 1), ("2024-02-26", 2))


def test_value_may_end(session) -> None:
    sync_parameters(session, "test", {"days": spec("day", ("2024-02-26", 3), ("2026-01-01", None))})

    assert number_on(session, "test.days", date(2025, 12, 31)) == 3
    assert number_on(session, "test.days", date(2026, 1, 1)) is None


def test_sync_twice_changes_nothing_and_never_edits_a_value(session) -> None:
    sync_parameters(session, "test", {"days": spec("day", ("2024-02-26", 3))})

    same = sync_parameters(session, "test", {"days": spec("day", ("2024-02-26", 3))})
    changed = sync_parameters(session, "test", {"days": spec("day", ("2024-02-26", 4))})

    assert (same, [difference.key for difference in changed]) == ([], ["test.days"])
    assert number_on(session, "test.days", date(2026, 1, 1)) == 3


def test_administrators_later_value_stays(session) -> None:
    sync_parameters(session, "test", {"days": spec("day", ("2024-02-26", 3))})
    first = session.scalars(select(ParameterValue).order_by(ParameterValue.id.desc())).first()
    session.add(
        ParameterValue(parameter_id=first.parameter_id, valid_from=date(2026, 9, 1), number=9)
    )
    session.flush()

    sync_parameters(session, "test", {"days": spec("day", ("2024-02-26", 3))})

    assert number_on(session, "test.days", date(2026, 9, 1)) == 9
    count = select(func.count()).select_from(ParameterValue)
    assert session.scalar(count.filter_by(parameter_id=first.parameter_id)) == 2


def test_settings_speak_short_names_and_tell_what_was_used(session) -> None:
    sync_parameters(session, "test", {"days": spec("day", ("2024-02-26", 3)), "later": spec("day")})
    parameters = load_parameters(session)

    settings = settings_on(parameters, "test", ("days", "later"), date(2026, 1, 1))

    assert settings.days == 3
    assert [dated.key for dated in settings.used()] == ["test.days"]
    with pytest.raises(NoValue):
        _ = settings.later
    with pytest.raises(UnknownSetting):
        _ = settings.dayz


def test_drafts_lie_over_stored_values(session) -> None:
    sync_parameters(session, "test", {"days": spec("day", ("2024-02-26", 3))})
    draft = Dated("test.days", "day", date(2026, 1, 1), 5, None, "decision")

    tried = load_parameters(session).with_draft([draft])

    assert tried.on("test.days", date(2025, 12, 31)) == 3
    assert tried.on("test.days", date(2026, 1, 1)) == 5
    assert value_on(session, "test.days", date(2026, 1, 1)) == 3
