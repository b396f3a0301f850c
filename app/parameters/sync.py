"""Bring declared parameters into the database; idempotent, and it never edits a stored value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Parameter, ParameterValue
from app.parameters.definition import DatedValue, ParameterSpec


@dataclass(frozen=True, slots=True)
class Difference:
    """Report a declared value that differs from the stored one of the same day."""

    key: str
    valid_from: date


def sync_parameters(
    session: Session,
    prefix: str,
    declared: Mapping[str, ParameterSpec],
    *,
    plugin: str | None = None,
) -> list[Difference]:
    """Add what is new; return the values whose stored figure differs from the declared one."""
    keys = {f"{prefix}.{name}": spec for name, spec in declared.items()}
    stored = {
        row.key: row for row in session.scalars(select(Parameter).where(Parameter.key.in_(keys)))
    }
    for key, spec in keys.items():
        if key not in stored:
            stored[key] = Parameter(key=key, plugin=plugin)
            session.add(stored[key])
        stored[key].title, stored[key].unit = spec.title, spec.unit
    session.flush()
    differences = [
        difference
        for key, spec in keys.items()
        for difference in _sync_values(session, stored[key], spec)
    ]
    session.flush()
    return differences


def _sync_values(
    session: Session, parameter: Parameter, spec: ParameterSpec
) -> Iterator[Difference]:
    """Add the values of new days; an administrator's values stay."""
    query = select(ParameterValue).where(ParameterValue.parameter_id == parameter.id)
    stored = {row.valid_from: row for row in session.scalars(query)}
    for declared in spec.values:
        row = stored.get(declared.start)
        if row is None:
            session.add(new_value(parameter, declared))
        elif not _same(row, declared):
            yield Difference(parameter.key, declared.start)


def new_value(parameter: Parameter, declared: DatedValue) -> ParameterValue:
    """Return the row of one dated value."""
    is_text = isinstance(declared.value, str)
    return ParameterValue(
        parameter_id=parameter.id,
        valid_from=declared.start,
        number=None if is_text or declared.value is None else Decimal(declared.value),
        text=declared.value if is_text else None,
        clause_key=declared.clause or None,
        basis=declared.basis,
        note=declared.note or None,
    )


def _same(row: ParameterValue, declared: DatedValue) -> bool:
    """Tell whether the stored value is the declared one."""
    if isinstance(declared.value, str):
        return row.text == declared.value
    if declared.value is None:
        return row.number is None and row.text is None
    return row.number is not None and row.number == declared.value
