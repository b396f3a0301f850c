"""Imported files: batches, what became of their rows, and how a source names its columns."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.base import Audited, CountyScoped, Model, Restricted
from app.columns import UtcDateTime


class ImportBatch(CountyScoped, Audited, Model):
    """One file 导入批次 that was read for one entity, whether it was only checked or stored."""

    __tablename__ = "import_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    entity: Mapped[str] = mapped_column(String(60), index=True)
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default="uploaded", index=True)
    """``uploaded``, ``checked``, ``stored``, ``failed`` or ``undone``."""
    is_backfilled: Mapped[bool] = mapped_column(default=False)
    """Whether the rows are of the time before go-live 历史补录."""
    total: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    warned: Mapped[int] = mapped_column(default=0)
    """Rows that are stored and should be looked at."""
    error: Mapped[str | None] = mapped_column(Text)
    stored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def __str__(self) -> str:
        return self.file_name

    __repr__ = __str__


class ImportRow(Restricted, Model):
    """A row that a batch added, changed or took away; ``change`` says what it was."""

    __tablename__ = "import_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    number: Mapped[int]
    """The row number in the file."""
    change_id: Mapped[int]
    """The entry of the trail that holds the values before and after."""
    row_version: Mapped[int | None]
    """The version that the row had then: undo leaves alone what was edited since."""


class ImportFault(Restricted, Model):
    """What was wrong with a row of a file; it holds no value of the file."""

    __tablename__ = "import_fault"

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    number: Mapped[int]
    header: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(String(500))
    is_warning: Mapped[bool] = mapped_column(default=False)


class ImportHeader(Restricted, Model):
    """Which column a head of a source stands for, as somebody chose it for his files."""

    __tablename__ = "import_header"
    __table_args__ = (UniqueConstraint("user_id", "entity", "source", "header"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    entity: Mapped[str] = mapped_column(String(60))
    source: Mapped[str] = mapped_column(String(64))
    """The digest of the file's heads."""
    header: Mapped[str] = mapped_column(String(200))
    column_name: Mapped[str | None] = mapped_column(String(60))
    """The entity's column; empty where the head is not read."""
