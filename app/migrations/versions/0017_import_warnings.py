"""Keep what is unusual in the rows of an import beside what is wrong.

Revision: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COLUMNS = (
    ("import_batch", "warned", sa.Integer(), sa.text("0")),
    ("import_fault", "is_warning", sa.Boolean(), sa.false()),
)


def upgrade() -> None:
    """Apply this revision."""
    for table, name, kind, value in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=value))
        # SQLite would have to make the table anew, which the rows that refer to it forbid.
        if op.get_bind().dialect.name != "sqlite":
            op.alter_column(table, name, server_default=None)


def downgrade() -> None:
    """Take this revision back."""
    for table, name, _kind, _value in COLUMNS:
        op.drop_column(table, name)
