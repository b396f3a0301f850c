"""Put figures of rows into sentences: in a select, and in the reader's language afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, String, cast, func, literal

from app.rules.rule import Rule


def sentence(template: Any, **columns: Any) -> ColumnElement[str]:
    """Return a sentence with columns of each row put in: `%(hours)s` is the column `hours`."""
    said: ColumnElement[str] = literal(str(template), String)
    for name, column in columns.items():
        shown = func.coalesce(cast(column, String), "-")
        said = func.replace(said, f"%({name})s", shown)
    return said


def message_of(rule: Rule, observed: str | None, required: str | None) -> str:
    """Return the rule's own sentence with the figures of a violation."""
    said = str(rule.message)
    for name, value in (("observed", observed), ("required", required)):
        said = said.replace(f"%({name})s", value or "-")
    return said


def arithmetic(
    rule: Rule, observed: str | None, required: str | None, days: Sequence[date] = ()
) -> str:
    """Return how a verdict comes about: what is required, what was observed, on which days."""
    if rule.bound:
        said = _(
            "required %(bound)s %(required)s %(unit)s, observed %(observed)s %(unit)s",
            bound=rule.bound,
            required=required or "-",
            observed=observed or "-",
            unit=str(rule.unit),
        )
    else:
        said = message_of(rule, observed, required)
    if not days:
        return said
    return _("%(figures)s: %(days)s", figures=said, days=_(", ").join(map(str, days)))
