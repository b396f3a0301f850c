"""Say what is due of transfers: the receiver confirms the arrival, the sender follows it up."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from app.kit import DueKind, School, Settings, Transfer, Window, _l, due_columns

LEADER: Final = "school_leader"


def arrival(_window: Window, settings: Settings) -> Select[Any]:
    """Select the transfers that a school of the county has not confirmed, as the receiver's."""
    receiver = aliased(School)
    place = select(receiver.id, receiver.id.label("school_id"), receiver.township_id).subquery(
        "receiver"
    )
    return (
        select(*_columns(place.c, settings))
        .join(place, place.c.id == Transfer.to_school_id)
        .where(*_is_open())
    )


def departure(_window: Window, settings: Settings) -> Select[Any]:
    """Select the transfers that are not settled, as the sender's, on whose list the child is."""
    return select(*_columns(Transfer, settings)).where(*_is_open())


def _columns(place: Any, settings: Settings) -> list[Any]:
    return due_columns(
        (Transfer.__tablename__, Transfer.id),
        place,
        Transfer.started_on,
        days=int(settings.transfer_at_risk_days),
        role=LEADER,
    )


def _is_open() -> tuple[Any, Any]:
    return Transfer.arrived_on.is_(None), Transfer.cancelled_on.is_(None)


DUES: Final = (
    DueKind(
        "roll_and_attendance.arrival",
        _l("Arrival of a child to confirm"),
        "ArrivalView",
        arrival,
        page="list",
    ),
    DueKind("roll_and_attendance.transfer", _l("Transfer to settle"), "TransferView", departure),
)
