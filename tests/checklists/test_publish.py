"""Publish versions: the same digest does nothing, a new number is a version, records bind."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from app.checklists.definition import ChecklistDefinition
from app.checklists.publish import ChangedKind, ChangedVersion, publish
from app.extensions import db
from app.models import ChecklistItem, ChecklistVersion, Inspection
from app.workflow.inspection import version_on

FIRST = date(2024, 2, 26)
LATER = date(2026, 9, 1)


def buses(version: int = 1, valid_from: date = FIRST, **values: object) -> ChecklistDefinition:
    """Return a version of one checklist."""
    item = {
        "key": "seats",
        "kind": "choice",
        "text": "Seats",
        "choices": [{"key": "full", "title": "Full"}, {"key": "free", "title": "Free"}],
        **values,
    }
    return ChecklistDefinition.model_validate(
        {
            "key": "buses",
            "version": version,
            "valid_from": valid_from,
            "section": [{"title": "Buses", "item": [item]}],
        }
    )


@pytest.fixture
def session(app):
    with app.app_context():
        yield db.session
        db.session.rollback()
        db.session.remove()


def _inspect(county, version: ChecklistVersion) -> None:
    school = county.a_school
    db.session.add(
        Inspection(
            type_key="buses",
            checklist_version_id=version.id,
            occurred_on=date(2026, 3, 2),
            **county.scope_of(school),
        )
    )
    db.session.flush()


def test_publishing_writes_version_and_items(session) -> None:
    made = publish(session, buses(minimum=1, required=True, clause="C-1"), plugin="buses")

    session.expire_all()
    read = session.get(ChecklistVersion, made.id)
    (item,) = read.sections[0].items
    assert (read.number, read.valid_from, read.valid_to) == (1, FIRST, None)
    assert (item.key, item.minimum, item.is_required, item.clause_key) == ("seats", 1, True, "C-1")
    assert [choice.key for choice in item.choices] == ["full", "free"]


def test_same_digest_changes_nothing(session) -> None:
    first = publish(session, buses())

    again = publish(session, buses())

    assert again.id == first.id
    assert (
        session.scalar(
            select(func.count())
            .select_from(ChecklistVersion)
            .filter_by(checklist_id=first.checklist_id)
        )
        == 1
    )


def test_new_number_is_a_new_version_and_old_records_keep_theirs(county, session) -> None:
    school = county.a_school
    first = publish(session, buses())
    _inspect(county, first)

    second = publish(session, buses(2, LATER, text="Seats and belts"))

    assert school is not None
    assert (second.number, first.valid_to) == (2, date(2026, 8, 31))
    assert version_on(session, "buses", date(2026, 8, 31)).number == 1
    assert version_on(session, "buses", LATER).number == 2
    assert version_on(session, "buses", date(2024, 2, 25)) is None
    texts = session.scalars(select(ChecklistItem.text).filter_by(version_id=first.id)).all()
    assert texts == ["Seats"]


def test_changed_version_with_records_is_refused(county, session) -> None:
    school = county.a_school
    first = publish(session, buses())
    _inspect(county, first)

    with pytest.raises(ChangedVersion) as caught:
        publish(session, buses(text="Other"))

    assert school is not None
    assert (caught.value.key, caught.value.version, caught.value.next_version) == ("buses", 1, 2)


def test_changed_version_without_records_is_published_anew(session) -> None:
    publish(session, buses())

    again = publish(session, buses(text="Other"))

    items = session.scalars(select(ChecklistItem.text).filter_by(version_id=again.id)).all()
    assert (again.number, items) == (1, ["Other"])


def test_key_keeps_its_kind_for_ever(session) -> None:
    publish(session, buses())

    with pytest.raises(ChangedKind) as caught:
        publish(session, buses(2, LATER, kind="plain", choices=[]))

    assert (caught.value.item, caught.value.before, caught.value.after) == (
        "seats",
        "choice",
        "plain",
    )
