"""Keep what is due, who was told of it, reminders, and the e-mails that sum it up.

Revision: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.columns import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

INDEXED = {
    "due_item": ("county_id", "township_id", "school_id", "due_on", "ended_on"),
    "reminder": ("county_id", "township_id", "school_id", "due_item_id", "reminded_on"),
    "notification": ("county_id", "township_id", "school_id", "made_on"),
    "digest": ("day", "state"),
}


def _key(name: str, target: str, *, nullable: bool = True, ondelete: str | None = None) -> sa.Column:
    key = sa.ForeignKey(f"{target}.id", ondelete=ondelete)
    return sa.Column(name, sa.Integer, key, nullable=nullable)


def _place() -> tuple[sa.Column, ...]:
    return (
        _key("county_id", "county", nullable=False),
        _key("township_id", "township", nullable=False),
        _key("school_id", "school"),
    )


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "due_item",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind_key", sa.String(100), nullable=False),
        sa.Column("topic", sa.String(60)),
        sa.Column("subject_type", sa.String(60), nullable=False),
        sa.Column("subject_id", sa.Integer, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("in_term", sa.Boolean, nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        _key("person_id", "person"),
        sa.Column("needed", sa.Integer),
        sa.Column("first_seen", sa.Date, nullable=False),
        sa.Column("ended_on", sa.Date),
        *_place(),
        sa.UniqueConstraint("kind_key", "subject_type", "subject_id", "due_on"),
    )
    op.create_table(
        "reminder",
        sa.Column("id", sa.Integer, primary_key=True),
        _key("due_item_id", "due_item", nullable=False),
        sa.Column("reminded_on", sa.Date, nullable=False),
        _key("person_id", "person"),
        _key("appointment_id", "appointment"),
        sa.Column("note", sa.String(200)),
        *_place(),
        sa.Column("created_at", UtcDateTime, nullable=False),
        _key("created_by_id", "ab_user", ondelete="SET NULL"),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        _key("changed_by_id", "ab_user", ondelete="SET NULL"),
        sa.Column("row_version", sa.Integer, nullable=False),
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.Integer, primary_key=True),
        _key("due_item_id", "due_item", nullable=False),
        _key("appointment_id", "appointment", nullable=False, ondelete="CASCADE"),
        sa.Column("step", sa.String(100), nullable=False),
        _key("reminder_id", "reminder"),
        sa.Column("made_on", sa.Date, nullable=False),
        sa.Column("read_at", UtcDateTime),
        *_place(),
        sa.UniqueConstraint("due_item_id", "step", "appointment_id"),
    )
    op.create_table(
        "digest",
        sa.Column("id", sa.Integer, primary_key=True),
        _key("person_id", "person", nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.String(200)),
        sa.Column("sent_at", UtcDateTime),
        sa.UniqueConstraint("person_id", "day"),
    )
    for table, columns in INDEXED.items():
        for column in columns:
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index(
        op.f("ix_notification_appointment_id_read_at"), "notification", ["appointment_id", "read_at"]
    )
    op.add_column("account", sa.Column("digest_to", sa.String(200)))


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("account") as account:
        account.drop_column("digest_to")
    for table in ("digest", "notification", "reminder", "due_item"):
        op.drop_table(table)
