"""Keep which of a school's own closings an outside visit is to look at.

Revision: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "finding_review"
INDEXED = ("county_id", "finding_id", "inspection_id", "school_id", "township_id")


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("finding_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("reviewed_by_id", sa.Integer(), nullable=True),
        sa.Column("step_id", sa.Integer(), nullable=True),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("township_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        _key("inspection_id", "inspection.id", "CASCADE"),
        _key("finding_id", "finding.id"),
        _key("reviewed_by_id", "person.id"),
        _key("step_id", "finding_step.id"),
        _key("school_id", "school.id"),
        _key("county_id", "county.id"),
        _key("township_id", "township.id"),
        _key("created_by_id", "ab_user.id", "SET NULL"),
        _key("changed_by_id", "ab_user.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_review")),
        sa.UniqueConstraint(
            "inspection_id", "finding_id", name=op.f("uq_finding_review_inspection_id_finding_id")
        ),
    )
    for column in INDEXED:
        op.create_index(op.f(f"ix_finding_review_{column}"), TABLE, [column])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table(TABLE)


def _key(column: str, target: str, on_delete: str | None = None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_finding_review_{column}")
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete=on_delete)
