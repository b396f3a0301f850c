"""Share between workers: logins counted by address, pages of plugins that failed.

Revision: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table('login_address',
    sa.Column('address', sa.String(length=45), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('address', name=op.f('pk_login_address'))
    )
    op.create_table('page_failure',
    sa.Column('plugin', sa.String(length=60), nullable=False),
    sa.Column('page', sa.String(length=120), nullable=False),
    sa.Column('error', sa.String(length=120), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('plugin', 'page', name=op.f('pk_page_failure'))
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table('page_failure')
    op.drop_table('login_address')
