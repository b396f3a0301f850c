"""Keep one calendar exception for the same school, grade or class on a day.

Revision: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "calendar_exception"
FORMER = "uq_calendar_exception_school_id_grade_class_id_day"
COLUMNS = ("school_id", "grade", "class_id", "day")
UNIQUE = {
    "uq_calendar_exception_school": (("school_id", "day"), "grade IS NULL AND class_id IS NULL"),
    "uq_calendar_exception_grade": (
        ("school_id", "grade", "day"),
        "grade IS NOT NULL AND class_id IS NULL",
    ),
    "uq_calendar_exception_class": (("class_id", "day"), "class_id IS NOT NULL"),
}


def upgrade() -> None:
    """Apply this revision."""
    rows = sa.table(TABLE, sa.column("id"), *map(sa.column, COLUMNS))
    # The class decided wherever both were given.
    op.execute(rows.update().where(rows.c.class_id.is_not(None)).values(grade=None))
    # Of two exceptions for the same whole, the one entered last was read last, and so held.
    last = sa.select(sa.func.max(rows.c.id)).group_by(*(rows.c[name] for name in COLUMNS))
    op.execute(rows.delete().where(rows.c.id.not_in(last)))
    with op.batch_alter_table(TABLE) as batch:
        batch.drop_constraint(op.f(FORMER), type_="unique")
    for name, (columns, condition) in UNIQUE.items():
        where = sa.text(condition)
        op.create_index(
            name, TABLE, columns, unique=True, sqlite_where=where, postgresql_where=where
        )


def downgrade() -> None:
    """Take this revision back."""
    for name in UNIQUE:
        op.drop_index(name, TABLE)
    with op.batch_alter_table(TABLE) as batch:
        batch.create_unique_constraint(op.f(FORMER), COLUMNS)
