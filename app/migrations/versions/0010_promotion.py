"""Keep the promotions of classes with what each one moved.

Revision: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INDEXED = ("county_id", "township_id", "school_id")


def _scope(*, is_county_wide: bool = False) -> list[sa.Column]:
    return [
        sa.Column("county_id", sa.Integer, sa.ForeignKey("county.id"), nullable=False),
        sa.Column(
            "township_id", sa.Integer, sa.ForeignKey("township.id"), nullable=is_county_wide
        ),
        sa.Column("school_id", sa.Integer, sa.ForeignKey("school.id")),
    ]


def _key(name: str, target: str, *, nullable: bool = False, ondelete: str | None = None) -> sa.Column:
    key = sa.ForeignKey(f"{target}.id", ondelete=ondelete)
    return sa.Column(name, sa.Integer, key, nullable=nullable)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "promotion",
        sa.Column("id", sa.Integer, primary_key=True),
        _key("from_year_id", "school_year"),
        _key("to_year_id", "school_year"),
        sa.Column("happened_on", sa.Date, nullable=False),
        sa.Column("moved", sa.Integer, nullable=False),
        sa.Column("graduated", sa.Integer, nullable=False),
        sa.Column("left", sa.Integer, nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        *_scope(is_county_wide=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _key("created_by_id", "ab_user", nullable=True, ondelete="SET NULL"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _key("changed_by_id", "ab_user", nullable=True, ondelete="SET NULL"),
        sa.Column("row_version", sa.Integer, nullable=False),
    )
    _index("promotion", *INDEXED)
    op.create_table(
        "promotion_class",
        sa.Column("id", sa.Integer, primary_key=True),
        _key("promotion_id", "promotion", ondelete="CASCADE"),
        _key("from_class_id", "school_class"),
        _key("to_class_id", "school_class", nullable=True, ondelete="SET NULL"),
        sa.Column("is_new", sa.Boolean, nullable=False),
        *_scope(),
        sa.UniqueConstraint("promotion_id", "from_class_id"),
    )
    _index("promotion_class", *INDEXED)
    op.create_table(
        "promotion_child",
        sa.Column("id", sa.Integer, primary_key=True),
        _key("promotion_id", "promotion", ondelete="CASCADE"),
        _key("child_id", "child"),
        _key("from_class_id", "school_class"),
        _key("from_status_id", "child_status"),
        _key("to_class_id", "school_class", nullable=True, ondelete="SET NULL"),
        _key("to_status_id", "child_status"),
        *_scope(),
        sa.UniqueConstraint("promotion_id", "child_id"),
    )
    _index("promotion_child", "child_id")


def downgrade() -> None:
    """Take this revision back."""
    for table in ("promotion_child", "promotion_class", "promotion"):
        op.drop_table(table)
