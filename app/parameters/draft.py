"""Read a draft value of a parameter as people type it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from flask_babel import gettext as _

from app.base import Refused
from app.parameters.limit import LIMITS
from app.parameters.value import Dated, Value, plain


def draft_of(key: str, unit: str, typed: str, since: date) -> Dated:
    """Return a draft value from a day on; nothing typed ends the parameter on that day."""
    return Dated(key, unit, since, _value(unit, typed.strip()), None, "decision")


def _value(unit: str, typed: str) -> Value | None:
    if not typed:
        return None
    if unit == "text":
        return typed
    try:
        number = Decimal(typed)
    except InvalidOperation:
        raise Refused(_("“%(typed)s” is not a number.", typed=typed)) from None
    limit = LIMITS[unit]
    if not number.is_finite() or not limit.holds(number):
        raise Refused(
            _(
                "The value must lie between %(least)s and %(most)s.",
                least=limit.least,
                most=limit.most,
            )
        )
    return bool(number) if unit == "flag" else plain(number)
