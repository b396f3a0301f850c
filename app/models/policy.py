"""Policy documents, their clauses, and the dated values of parameters."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Shared
from app.words import WORDS, named, words


class PolicyDocument(Shared, Audited, Model):
    """A policy document 政策文件."""

    __tablename__ = "policy_document"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(200), info=WORDS)
    issuer: Mapped[str] = mapped_column(String(200), info=WORDS)
    number: Mapped[str | None] = mapped_column(String(60))
    issued_on: Mapped[date]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    text: Mapped[str | None] = mapped_column(Text)
    plugin: Mapped[str | None] = mapped_column(String(60))

    def __str__(self) -> str:
        return words(self.title)

    __repr__ = __str__


class Clause(Shared, Audited, Model):
    """A clause 条款 of a policy document; another wording from a later day on is another row."""

    __tablename__ = "clause"
    __table_args__ = (UniqueConstraint("key", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("policy_document.id"), index=True)
    key: Mapped[str] = mapped_column(String(40))
    position: Mapped[int] = mapped_column(default=0)
    heading: Mapped[str | None] = mapped_column(String(200), info=WORDS)
    text: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    document: Mapped[PolicyDocument] = relationship(PolicyDocument)

    def __str__(self) -> str:
        return f"{self.key} {words(self.heading)}".strip()

    __repr__ = __str__


class Parameter(Shared, Audited, Model):
    """A named figure or word of a policy; its values are dated."""

    __tablename__ = "parameter"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(200), info=WORDS)
    unit: Mapped[str] = mapped_column(String(20))
    plugin: Mapped[str | None] = mapped_column(String(60))

    values: Mapped[list[ParameterValue]] = relationship(
        "ParameterValue",
        back_populates="parameter",
        order_by="ParameterValue.valid_from",
        viewonly=True,
    )

    def __str__(self) -> str:
        return words(self.title)

    __repr__ = __str__


class ParameterValue(Shared, Audited, Model):
    """The value of a parameter from a day on, with the clause and the basis it rests on."""

    __tablename__ = "parameter_value"
    __table_args__ = (UniqueConstraint("parameter_id", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    parameter_id: Mapped[int] = mapped_column(ForeignKey("parameter.id"), index=True)
    valid_from: Mapped[date] = mapped_column(index=True)
    number: Mapped[Decimal | None] = mapped_column(Numeric(12, 3))
    text: Mapped[str | None] = mapped_column(String(200), info=WORDS)
    clause_key: Mapped[str | None] = mapped_column(String(40))
    basis: Mapped[str] = mapped_column(String(12), default="decision")
    """``policy`` where the document says so, ``decision`` where it is silent."""
    note: Mapped[str | None] = mapped_column(String(500))

    parameter: Mapped[Parameter] = relationship(Parameter, back_populates="values")

    def __str__(self) -> str:
        is_whole = self.number is not None and self.number == int(self.number)
        number = int(self.number or 0) if is_whole else self.number
        text = words(named("parameter_text", self.text))
        return _("%(name)s: %(value)s", name=self.parameter, value=text or number)

    __repr__ = __str__
