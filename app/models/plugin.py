"""What the last deployment knew of each plugin, and which of its pages failed since."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.base import Model, Restricted
from app.columns import UtcDateTime


class PluginState(Restricted, Model):
    """A plugin as it was deployed: version, digest of its files and the core's, head, problems."""

    __tablename__ = "plugin_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    version: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    migration_head: Mapped[str | None] = mapped_column(String(40))
    deployed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(Text)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    __repr__ = __str__


class PageFailure(Restricted, Model):
    """A page of a plugin that raised since the last deployment, in whichever worker."""

    __tablename__ = "page_failure"

    plugin: Mapped[str] = mapped_column(String(60), primary_key=True)
    page: Mapped[str] = mapped_column(String(120), primary_key=True)
    error: Mapped[str] = mapped_column(String(120))
    """The kind of the error; its words may hold values."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
