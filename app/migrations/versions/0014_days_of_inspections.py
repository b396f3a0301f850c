"""Hold inspections in the order of their list for readers of all counties.

Revision: 0014
Revises: 0013
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


INDEX, TABLE = "ix_inspection_occurred_on", "inspection"


def upgrade() -> None:
    """Apply this revision."""
    op.drop_index(op.f(INDEX), table_name=TABLE)
    op.create_index(op.f(INDEX), TABLE, ["occurred_on", "id"], unique=False)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index(op.f(INDEX), table_name=TABLE)
    op.create_index(op.f(INDEX), TABLE, ["occurred_on"], unique=False)
