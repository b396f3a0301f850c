"""Keep transfers from one school to another until the receiver confirms the arrival.

Revision: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDEXED = ("county_id", "township_id", "school_id", "child_id", "to_school_id")


def _key(name: str, target: str, *, nullable: bool = True, ondelete: str | None = None) -> sa.Column:
    key = sa.ForeignKey(f"{target}.id", ondelete=ondelete)
    return sa.Column(name, sa.Integer, key, nullable=nullable)


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "transfer",
        sa.Column("id", sa.Integer, primary_key=True),
        _key("child_id", "child", nullable=False),
        _key("to_school_id", "school"),
        sa.Column("to_place", sa.String(200), nullable=False),
        sa.Column("started_on", sa.Date, nullable=False),
        sa.Column("basis", sa.String(200), nullable=False),
        sa.Column("arrived_on", sa.Date),
        _key("confirmed_by_id", "person"),
        sa.Column("cancelled_on", sa.Date),
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
        op.create_index(op.f(f"ix_transfer_{column}"), "transfer", [column])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("transfer")
