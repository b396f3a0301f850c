"""Let two schools report one id number: a task for each, instead of a refusal.

Revision: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLE = "enrolment_problem"
INDEXED = ("county_id", "township_id", "school_id", "child_id", "number_index", "settled_on")
OLD = ("uq_child_county_id_id_number_index", "county_id, id_number_index")
NEW = ("uq_child_county_id_id_number_index_school_id", "county_id, id_number_index, school_id")
UNPLACED = "uq_child_number_without_school"


def _key(name: str, target: str, *, nullable: bool = True, ondelete: str | None = None) -> sa.Column:
    key = sa.ForeignKey(f"{target}.id", ondelete=ondelete)
    return sa.Column(name, sa.Integer, key, nullable=nullable)


def upgrade() -> None:
    """Apply this revision."""
    _exchange(OLD, NEW)
    op.create_index(
        UNPLACED,
        "child",
        ["county_id", "id_number_index"],
        unique=True,
        sqlite_where=sa.text("school_id IS NULL"),
        postgresql_where=sa.text("school_id IS NULL"),
    )
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer, primary_key=True),
        _key("child_id", "child", nullable=False),
        sa.Column("number_index", sa.String(64), nullable=False),
        sa.Column("opened_on", sa.Date, nullable=False),
        sa.Column("settled_on", sa.Date),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("note", sa.String(500)),
        _key("settled_by_id", "person"),
        _key("evidence_set_id", "evidence_set"),
        _key("county_id", "county", nullable=False),
        _key("township_id", "township", nullable=False),
        _key("school_id", "school"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _key("created_by_id", "ab_user", ondelete="SET NULL"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _key("changed_by_id", "ab_user", ondelete="SET NULL"),
        sa.Column("row_version", sa.Integer, nullable=False),
    )
    for column in INDEXED:
        op.create_index(op.f(f"ix_{TABLE}_{column}"), TABLE, [column])
    op.create_index(
        "uq_enrolment_problem_open",
        TABLE,
        ["child_id", "number_index"],
        unique=True,
        sqlite_where=sa.text("settled_on IS NULL"),
        postgresql_where=sa.text("settled_on IS NULL"),
    )


def downgrade() -> None:
    """Take this revision back; numbers that several schools report must be settled before."""
    op.drop_table(TABLE)
    op.drop_index(UNPLACED, table_name="child")
    _exchange(NEW, OLD)


def _exchange(old: tuple[str, str], new: tuple[str, str]) -> None:
    """Give the table of children another unique constraint."""
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(old, new)
        return
    op.drop_constraint(old[0], "child")
    op.create_unique_constraint(new[0], "child", new[1].split(", "))


def _rebuild(old: tuple[str, str], new: tuple[str, str]) -> None:
    """Make SQLite's table anew, which cannot drop a constraint; its rows keep their keys.

    Foreign keys are judged at the end of the transaction, when every child is back. Triggers come
    back last: the index of names, which they fill, still holds the rows.
    """
    bind = op.get_bind()
    words = [f"CONSTRAINT {name} UNIQUE ({columns})" for name, columns in (old, new)]
    parts = bind.execute(
        sa.text(
            "SELECT type, sql FROM sqlite_master WHERE tbl_name = 'child' AND sql IS NOT NULL "
            "ORDER BY type = 'trigger'"
        )
    ).all()
    table = next(part.sql for part in parts if part.type == "table")
    if words[0] not in table:
        raise RuntimeError(f"the table of children has no constraint {old[0]}")
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TEMPORARY TABLE held_child AS SELECT * FROM child")
    op.execute("DROP TABLE child")
    bind.exec_driver_sql(table.replace(*words))
    op.execute("INSERT INTO child SELECT * FROM held_child")
    op.execute("DROP TABLE held_child")
    for part in parts:
        if part.type != "table":
            bind.exec_driver_sql(part.sql)
