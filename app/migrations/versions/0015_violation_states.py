"""Let people take note of violations, explain and waive them; let clauses change their wording.

Revision: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STEP = "violation_step"
INDEXED = ("county_id", "township_id", "school_id", "violation_id")
PARAMETERS = ("parameter_key", "parameter_value")
ONE_WORDING, WORDINGS = "uq_clause_key", "uq_clause_key_valid_from"


def _key(name: str, target: str, *, nullable: bool = True, ondelete: str | None = None) -> sa.Column:
    key = sa.ForeignKey(f"{target}.id", ondelete=ondelete)
    return sa.Column(name, sa.Integer, key, nullable=nullable)


def upgrade() -> None:
    """Apply this revision."""
    _add("violation", sa.Column("state", sa.String(12), nullable=False, server_default="open"))
    op.add_column("violation", sa.Column("waived_until", sa.Date))
    rows = sa.table("violation", sa.column("state"), sa.column("resolved_on"))
    op.execute(rows.update().where(rows.c.resolved_on.is_not(None)).values(state="resolved"))
    op.create_index(op.f("ix_violation_state"), "violation", ["state"])
    partial = sa.Column("is_partial", sa.Boolean, nullable=False, server_default=sa.false())
    _add("rule_run", partial)
    _widen(500)
    op.create_table(
        STEP,
        sa.Column("id", sa.Integer, primary_key=True),
        _key("violation_id", "violation", nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("until", sa.Date),
        _key("person_id", "person"),
        _key("appointment_id", "appointment"),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
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
        op.create_index(op.f(f"ix_{STEP}_{column}"), STEP, [column])
    with op.batch_alter_table("clause") as batch:
        batch.drop_constraint(op.f(ONE_WORDING), type_="unique")
        batch.create_unique_constraint(op.f(WORDINGS), ["key", "valid_from"])


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _add(table: str, column: sa.Column) -> None:
    """Add a column that every row has; the value of the rows that are there stays no default."""
    op.add_column(table, column)
    # SQLite would have to make the table anew, which the rows that refer to it forbid.
    if not _is_sqlite():
        op.alter_column(table, column.name, server_default=None)


def _widen(length: int) -> None:
    """Let the columns of parameters be so long; SQLite asks for no length."""
    if not _is_sqlite():
        for name in PARAMETERS:
            op.alter_column("violation", name, type_=sa.String(length))


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("clause") as batch:
        batch.drop_constraint(op.f(WORDINGS), type_="unique")
        batch.create_unique_constraint(op.f(ONE_WORDING), ["key"])
    op.drop_table(STEP)
    _widen(100)
    op.drop_column("rule_run", "is_partial")
    op.drop_index(op.f("ix_violation_state"), "violation")
    op.drop_column("violation", "waived_until")
    op.drop_column("violation", "state")
