"""Keep the files that a correction takes out of a submitted record.

Revision: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.add_column("evidence_file", sa.Column("dropped_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("evidence_file", "dropped_at")
