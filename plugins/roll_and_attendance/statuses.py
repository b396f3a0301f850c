"""Select children by what became of them: suspended or deferred, returned, dropped out."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Select, func, literal, select

from app.kit import Child, ChildStatus, Settings, StatusEvent, Window


def having(*keys: str) -> Callable[[Window, Settings], Select]:
    """Return the select of children with one of these statuses, since their last such event."""

    def chosen(window: Window, _settings: Settings) -> Select:
        since = func.coalesce(func.max(StatusEvent.happened_on), literal(window.as_of))
        return (
            select(Child.id.label("child_id"), since.label("since"), literal(1).label("observed"))
            .join(ChildStatus, ChildStatus.id == Child.status_id)
            .outerjoin(
                StatusEvent,
                (StatusEvent.child_id == Child.id)
                & (StatusEvent.status_id == Child.status_id)
                & (StatusEvent.happened_on <= window.as_of),
            )
            .where(ChildStatus.key.in_(keys))
            .group_by(Child.id)
        )

    return chosen


not_back = having("policy_suspension", "policy_deferral")
returned = having("returned")
dropped_out = having("dropped_out")
