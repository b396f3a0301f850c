"""Keep the ledgers of children, the confirmations of their entries, and leave.

Revision: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ENTRY, CONFIRMATION, LEAVE = "ledger_entry", "ledger_confirmation", "leave_request"
PLACES = ("county_id", "township_id", "school_id")


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        ENTRY,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("ledger", sa.String(length=60), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=True),
        sa.Column("observed", sa.String(length=40), nullable=True),
        sa.Column("opened_by_id", sa.Integer(), nullable=True),
        sa.Column("reason_id", sa.Integer(), nullable=True),
        sa.Column("next_action", sa.String(length=500), nullable=True),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("school_responsible_id", sa.Integer(), nullable=True),
        sa.Column("township_responsible_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closing_reason_id", sa.Integer(), nullable=True),
        sa.Column("closing_note", sa.String(length=500), nullable=True),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("evidence_set_id", sa.Integer(), nullable=True),
        *_common(),
        *(
            _key(ENTRY, column, target)
            for column, target in (
                ("child_id", "child.id"),
                ("opened_by_id", "person.id"),
                ("reason_id", "code.id"),
                ("school_responsible_id", "person.id"),
                ("township_responsible_id", "person.id"),
                ("closing_reason_id", "code.id"),
                ("closed_by_id", "person.id"),
                ("evidence_set_id", "evidence_set.id"),
            )
        ),
        *_common_keys(ENTRY),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    for column in ("child_id", "ledger", "next_on"):
        op.create_index(op.f(f"ix_ledger_entry_{column}"), ENTRY, [column])
    for place in PLACES:
        name = op.f(f"ix_ledger_entry_{place}_opened_on_id")
        op.create_index(name, ENTRY, [place, "opened_on", "id"])
    is_open = sa.text("closed_on IS NULL")
    op.create_index(
        "uq_ledger_entry_open",
        ENTRY,
        ["child_id", "ledger", "category"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        CONFIRMATION,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("confirmed_on", sa.Date(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        *_common(),
        _key(CONFIRMATION, "entry_id", "ledger_entry.id", "CASCADE"),
        _key(CONFIRMATION, "person_id", "person.id"),
        *_common_keys(CONFIRMATION),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_confirmation")),
        sa.UniqueConstraint("entry_id", "level", name=op.f("uq_ledger_confirmation_entry_id_level")),
    )
    for column in ("entry_id", *PLACES):
        op.create_index(op.f(f"ix_ledger_confirmation_{column}"), CONFIRMATION, [column])
    op.create_table(
        LEAVE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by", sa.String(length=60), nullable=False),
        sa.Column("called_on", sa.Date(), nullable=True),
        sa.Column("call_note", sa.String(length=200), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("evidence_set_id", sa.Integer(), nullable=True),
        *_common(),
        _key(LEAVE, "child_id", "child.id"),
        _key(LEAVE, "evidence_set_id", "evidence_set.id"),
        *_common_keys(LEAVE),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leave_request")),
    )
    op.create_index(op.f("ix_leave_request_child_id"), LEAVE, ["child_id"])
    for place in PLACES:
        name = op.f(f"ix_leave_request_{place}_starts_on_id")
        op.create_index(name, LEAVE, [place, "starts_on", "id"])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table(LEAVE)
    op.drop_table(CONFIRMATION)
    op.drop_table(ENTRY)


def _common() -> list[sa.Column]:
    return [
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("county_id", sa.Integer(), nullable=False),
        sa.Column("township_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
    ]


def _common_keys(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        _key(table, "school_id", "school.id"),
        _key(table, "county_id", "county.id"),
        _key(table, "township_id", "township.id"),
        _key(table, "created_by_id", "ab_user.id", "SET NULL"),
        _key(table, "changed_by_id", "ab_user.id", "SET NULL"),
    ]


def _key(
    table: str, column: str, target: str, on_delete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete=on_delete)
