"""Keep what schools say of inspections to which nobody came, and what came of it.

Revision: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLE = "visit_check"
INDEXED = ("county_id", "inspection_id", "school_id", "state", "township_id")


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("requested_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.String(length=200), nullable=True),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("township_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        _key("inspection_id", "inspection.id"),
        _key("requested_by_id", "person.id"),
        _key("decided_by_id", "person.id"),
        _key("school_id", "school.id"),
        _key("county_id", "county.id"),
        _key("township_id", "township.id"),
        _key("created_by_id", "ab_user.id", "SET NULL"),
        _key("changed_by_id", "ab_user.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_check")),
    )
    for column in INDEXED:
        op.create_index(op.f(f"ix_visit_check_{column}"), TABLE, [column])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table(TABLE)


def _key(column: str, target: str, on_delete: str | None = None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_visit_check_{column}")
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete=on_delete)
