"""People, the appointments under which they act, and the units they are assigned to."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, CountyScoped, Model, Named, Restricted, Shared
from app.columns import UtcDateTime
from app.models.organization import School
from app.words import WORDS, named, words


class Person(CountyScoped, Audited, Named, Model):
    """An official, a teacher or another adult who acts in the product or is named in it."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str | None] = mapped_column(String(40))
    unit: Mapped[str | None] = mapped_column(String(100))
    title: Mapped[str | None] = mapped_column(String(60), info=WORDS)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("ab_user.id", ondelete="SET NULL"), unique=True
    )
    is_active: Mapped[bool] = mapped_column(default=True)

    appointments: Mapped[list[Appointment]] = relationship(
        "Appointment", back_populates="person", viewonly=True
    )


class Appointment(CountyScoped, Audited, Model):
    """An office that a person holds: role template, capacity, scope and dates.

    The scope is the county where both scope columns are null, a township where only the school is
    null, one school, or the schools listed in :class:`AppointmentSchool`.
    """

    __tablename__ = "appointment"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    template: Mapped[str] = mapped_column(String(40), index=True)
    capacity: Mapped[str | None] = mapped_column(String(40))
    scope_kind: Mapped[str] = mapped_column(String(12))
    """``county``, ``township``, ``schools`` or ``linked`` (the day's liaison assignments)."""
    role_id: Mapped[int | None] = mapped_column(ForeignKey("ab_role.id", ondelete="SET NULL"))
    title: Mapped[str | None] = mapped_column(String(60), info=WORDS)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    acting_for_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))

    person: Mapped[Person] = relationship(Person, back_populates="appointments")
    acting_for: Mapped[Appointment | None] = relationship("Appointment", remote_side=[id])
    schools: Mapped[list[AppointmentSchool]] = relationship(
        "AppointmentSchool", cascade="all, delete-orphan", back_populates="appointment"
    )

    def __str__(self) -> str:
        return words(self.title) or named("role", self.template)

    __repr__ = __str__


class AppointmentSchool(CountyScoped, Model):
    """A school that an appointment with a list of schools covers."""

    __tablename__ = "appointment_school"
    __table_args__ = (UniqueConstraint("appointment_id", "school_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(
        ForeignKey("appointment.id", ondelete="CASCADE"), index=True
    )
    appointment: Mapped[Appointment] = relationship(Appointment, back_populates="schools")
    school: Mapped[School] = relationship(School)

    def __str__(self) -> str:
        return str(self.school)

    __repr__ = __str__


class LiaisonAssignment(CountyScoped, Audited, Model):
    """A standing assignment 挂点: a person to a township's schools, or to one school."""

    __tablename__ = "liaison_assignment"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    capacity: Mapped[str] = mapped_column(String(40), index=True)
    department: Mapped[str | None] = mapped_column(String(60))
    is_primary: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    person: Mapped[Person] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.person} · {named('role', self.capacity)}"

    __repr__ = __str__


class RoleScope(Shared, Audited, Model):
    """The template and the township of a Flask-AppBuilder role."""

    __tablename__ = "role_scope"
    __table_args__ = (UniqueConstraint("template", "township_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("ab_role.id", ondelete="CASCADE"), unique=True)
    template: Mapped[str] = mapped_column(String(40), index=True)
    township_id: Mapped[int | None] = mapped_column(ForeignKey("township.id"))


class PermissionVersion(Shared, Model):
    """One row whose number grows with every change of a right, so that caches notice at once."""

    __tablename__ = "permission_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=1)


class Account(Restricted, Model):
    """What the login policy knows of an account: failures, lock, password age, sessions."""

    __tablename__ = "account"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    failures: Mapped[int] = mapped_column(default=0)
    first_failure_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    password_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    session_number: Mapped[int] = mapped_column(default=1)
    """Grows when every session of the account must end."""
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    digest_to: Mapped[str | None] = mapped_column(String(200))
    """The address to which the reminders of a day are summed up by e-mail; none, no e-mail."""


class SubmitToken(Restricted, Model):
    """A form's token that was used, and where its result is: a second submit makes nothing."""

    __tablename__ = "submit_token"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    result_url: Mapped[str | None] = mapped_column(String(500))


class LoginAddress(Restricted, Model):
    """How many logins an address has tried in its present window, whichever worker served them."""

    __tablename__ = "login_address"

    address: Mapped[str] = mapped_column(String(45), primary_key=True)
    """An IPv4 address, or the first half of an IPv6 one."""
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int]
