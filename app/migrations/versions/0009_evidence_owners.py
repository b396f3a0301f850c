"""Find the record of a file by its set, without reading whole tables.

Revision: 0009
Revises: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OWNERS = (
    "absence", "answer", "answer_child", "calendar_exception", "finding_step", "inspection",
    "liaison_contact", "return_visit", "status_event", "visit",
)  # fmt: skip


def upgrade() -> None:
    """Apply this revision."""
    for table in OWNERS:
        op.create_index(f"ix_{table}_evidence_set_id", table, ["evidence_set_id"])


def downgrade() -> None:
    """Take this revision back."""
    for table in OWNERS:
        op.drop_index(f"ix_{table}_evidence_set_id", table)
