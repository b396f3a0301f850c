"""Evidence: sets that records own, and the files in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, CountyScoped, Model
from app.columns import UtcDateTime


class EvidenceSet(CountyScoped, Audited, Model):
    """The files that belong to one record; the set carries the scope, its owner holds its key."""

    __tablename__ = "evidence_set"

    id: Mapped[int] = mapped_column(primary_key=True)
    is_staged: Mapped[bool] = mapped_column(default=True)
    """Whether no saved record holds the set yet: a refused form keeps its files in it."""

    files: Mapped[list[EvidenceFile]] = relationship(
        "EvidenceFile", back_populates="evidence_set", order_by="EvidenceFile.id"
    )


class EvidenceFile(CountyScoped, Audited, Model):
    """A file of a set, stored under the hash of its content."""

    __tablename__ = "evidence_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    evidence_set_id: Mapped[int] = mapped_column(ForeignKey("evidence_set.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    original_sha256: Mapped[str] = mapped_column(String(64), index=True)
    stored_sha256: Mapped[str] = mapped_column(String(64), index=True)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dropped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a correction took the file out of a submitted record, which keeps it all the same."""

    evidence_set: Mapped[EvidenceSet] = relationship(EvidenceSet, back_populates="files")

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__
