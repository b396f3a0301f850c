"""Find what refers to a row, so that nothing disappears that a record still names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy import exists, literal, select, union_all
from sqlalchemy.orm import Session

from app.base import Model

FOLLOWS = {"CASCADE", "SET NULL"}


def referring_tables(session: Session, row: Any) -> Sequence[str]:
    """Return the tables with rows that refer to a row, in one statement, whoever may see them."""
    table = row.__table__
    asked = [
        select(literal(key.parent.table.name)).where(exists().where(key.parent == row.id))
        for other in Model.metadata.tables.values()
        for key in other.foreign_keys
        if key.column.table is table and (key.ondelete or "").upper() not in FOLLOWS
    ]
    if not asked:
        return []
    found = session.execute(union_all(*asked)).scalars()
    return list(dict.fromkeys(found))


def plural_of(table: str) -> str:
    """Return what users call the rows of a table: the title of its list."""
    for view in current_app.appbuilder.baseviews:  # type: ignore[attr-defined]  # set by FAB
        datamodel = getattr(view, "datamodel", None)
        if datamodel is not None and getattr(datamodel.obj, "__tablename__", None) == table:
            return str(view.list_title)
    return table
