"""Hold the rows of large tables in the order of their lists; find names by pairs of characters.

Revision: 0006
Revises: 0005
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from app import names
from app.pinyin import search_key

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCOPES = ("county_id", "township_id", "school_id")
ORDERS = {
    "absence": ("day",),
    "attendance_report": ("day",),
    "child": (),
    "child_group": ("valid_from",),
    "enrolment": ("valid_from",),
    "guardian": ("name",),
    "inspection": ("occurred_on",),
    "status_event": ("happened_on",),
    "visit": ("visited_on",),
}
NAMED = ("county", "township", "school", "person", "child")
KEY = sa.String(length=255)
LONGER_KEY = sa.String(length=1500)
AT_ONCE = 5000


def upgrade() -> None:
    """Apply this revision."""
    for table, order in ORDERS.items():
        for scope in SCOPES:
            op.drop_index(f"ix_{table}_{scope}", table)
            columns = [scope, *order, "id"]
            op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)
    for table in NAMED:
        op.drop_index(f"ix_{table}_search_key", table)
        _set_key_type(table, LONGER_KEY)
    _spell(lambda name: search_key(name))
    names.build(op.get_bind())


def downgrade() -> None:
    """Take this revision back."""
    names.remove(op.get_bind())
    _spell(lambda name: search_key(name).partition("\n")[0])
    for table in NAMED:
        _set_key_type(table, KEY)
        op.create_index(f"ix_{table}_search_key", table, ["search_key"])
    for table, order in ORDERS.items():
        for scope in SCOPES:
            op.drop_index(f"ix_{table}_{'_'.join([scope, *order, 'id'])}", table)
            op.create_index(f"ix_{table}_{scope}", table, [scope])


def _set_key_type(table: str, type_: sa.String) -> None:
    # SQLite keeps texts of any length; it would copy the table only to say so.
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column(table, "search_key", type_=type_, existing_nullable=False)


def _spell(key_of: Callable[[str], str]) -> None:
    """Write the keys of all names anew."""
    connection = op.get_bind()
    for table in NAMED:
        rows = sa.table(table, sa.column("id"), sa.column("name"), sa.column("search_key"))
        write = (
            sa.update(rows)
            .where(rows.c.id == sa.bindparam("row"))
            .values(search_key=sa.bindparam("key"))
        )
        last = 0
        while found := connection.execute(
            sa.select(rows.c.id, rows.c.name)
            .where(rows.c.id > last)
            .order_by(rows.c.id)
            .limit(AT_ONCE)
        ).all():
            connection.execute(write, [{"row": key, "key": key_of(name)} for key, name in found])
            last = found[-1].id
