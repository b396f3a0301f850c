"""Tell the time: the only source of now and today."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import current_app, has_app_context

DEFAULT_ZONE = "Asia/Shanghai"


def zone() -> ZoneInfo:
    """Return the zone in which the bureau's days begin and end."""
    name = current_app.config["TIME_ZONE"] if has_app_context() else DEFAULT_ZONE
    return ZoneInfo(name)


def now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Return today's date in the bureau's zone (07:50 in China is yesterday in UTC)."""
    return now().astimezone(zone()).date()


def local(instant: datetime) -> datetime:
    """Return an instant as the bureau's clock on the wall shows it."""
    return instant.astimezone(zone())
