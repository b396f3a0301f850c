"""Mark the coded answers that count where something is derived from them.

Revision: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.add_column(
        "code", sa.Column("is_counted", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    # SQLite would have to make the table anew, which the rows that refer to it forbid.
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("code", "is_counted", server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("code", "is_counted")
