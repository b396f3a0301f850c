"""Build a small county for a test: each method adds one thing, with sensible defaults."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import URL, Engine, Executable, create_engine, event, select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from app.columns import blind_index
from app.extensions import db
from app.models import (
    Account,
    Appointment,
    AppointmentSchool,
    Child,
    ChildStatus,
    ClassGrade,
    County,
    LiaisonAssignment,
    Person,
    School,
    SchoolClass,
    SchoolYear,
    Township,
)
from app.security.roles import template_of

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
LONG_AGO = date(2024, 2, 26)
PASSWORD = "Correct-horse-9"
WEAK_HASH = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
"""Cheap to check: tests log in hundreds of times."""


def _plain_engine(url: URL) -> Engine:
    """Return an engine of the builder's own, whose reads take no lock on SQLite.

    The product's engine begins every transaction outside a request with the write lock: a relation
    that a test reads late would then lock the application out.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _check_foreign_keys)
    return engine


def _check_foreign_keys(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys=ON")


class CountyBuilder:
    """Add rows to the test's database over a session of its own, outside any request."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._number = itertools.count(1)
        with self.context():
            self._engine = _plain_engine(db.engine.url)
        self.session = Session(self._engine, expire_on_commit=False)
        self._county: County | None = None
        self._township: Township | None = None
        self._school: School | None = None
        self._year: SchoolYear | None = None

    @contextmanager
    def context(self) -> Iterator[None]:
        """Enter the application without a request."""
        with self.app.app_context():
            yield

    def close(self) -> None:
        """Give the connection back."""
        self.session.close()
        self._engine.dispose()

    def add(self, row: T) -> T:
        """Store a row of any model; scope columns are filled from its school or township."""
        with self.context():
            self.session.add(row)
            self.session.commit()
        return row

    def scalar(self, statement: Any) -> Any:
        """Return the first value of a fresh read."""
        with self.context():
            self.session.rollback()
            self.session.expire_all()
            value = self.session.scalar(statement)
            self.session.rollback()
            return value

    def all(self, statement: Any) -> list[Any]:
        """Return all values of a fresh read."""
        with self.context():
            self.session.rollback()
            self.session.expire_all()
            return list(self.session.scalars(statement))

    def execute(self, statement: Executable) -> None:
        """Run a statement and keep what it did."""
        with self.context():
            self.session.execute(statement)
            self.session.commit()

    @property
    def here(self) -> County:
        """Return the county, made when first asked for."""
        if self._county is None:
            self._county = self.add(County(code="450381", name="荔浦市"))
        return self._county

    def township(self, name: str | None = None, **values: Any) -> Township:
        """Add a township that has gone live long ago."""
        number = next(self._number)
        values.setdefault("go_live_on", LONG_AGO)
        return self.add(
            Township(
                county_id=self.here.id, code=f"T{number}", name=name or f"第{number}镇", **values
            )
        )

    @property
    def a_township(self) -> Township:
        """Return the township that things belong to when a test names none."""
        if self._township is None:
            self._township = self.township("修仁镇")
        return self._township

    def school(
        self, name: str | None = None, township: Township | None = None, **values: Any
    ) -> School:
        """Add a junior high school."""
        number = next(self._number)
        town = township or self.a_township
        values.setdefault("kind", "junior_high")
        return self.add(
            School(
                county_id=self.here.id,
                township_id=town.id,
                code=f"S{number}",
                name=name or f"第{number}初级中学",
                **values,
            )
        )

    @property
    def a_school(self) -> School:
        """Return the school that things belong to when a test names none."""
        if self._school is None:
            self._school = self.school("修仁中学")
        return self._school

    @property
    def year(self) -> SchoolYear:
        """Return the school year 2025–26."""
        if self._year is None:
            self._year = self.add(
                SchoolYear(
                    county_id=self.here.id,
                    name="2025—2026学年",
                    starts_on=date(2025, 9, 1),
                    ends_on=date(2026, 8, 31),
                )
            )
        return self._year

    def school_class(
        self, school: School | None = None, grades: tuple[int, ...] = (7,), **values: Any
    ) -> SchoolClass:
        """Add a class of this school year."""
        place = school or self.a_school
        number = next(self._number)
        values.setdefault("name", f"{grades[0]}年级{number}班")
        scope = self.scope_of(place)
        row = SchoolClass(school_year_id=self.year.id, **scope, **values)
        row.grades = [ClassGrade(grade=grade, **scope) for grade in grades]
        return self.add(row)

    @staticmethod
    def scope_of(place: School | Township | None) -> dict[str, int | None]:
        """Return the scope columns of rows that belong to a school or a township."""
        if isinstance(place, School):
            return {
                "county_id": place.county_id,
                "township_id": place.township_id,
                "school_id": place.id,
            }
        assert place is not None
        return {"county_id": place.county_id, "township_id": place.id, "school_id": None}

    def child(
        self,
        name: str | None = None,
        school: School | None = None,
        school_class: SchoolClass | None = None,
        status: str = "enrolled",
        **values: Any,
    ) -> Child:
        """Add a child of a school, with the status of that key."""
        number = next(self._number)
        place = school or self.a_school
        status_id = self.scalar(select(ChildStatus.id).filter_by(key=status))
        if "id_number" in values:
            with self.context():
                values["id_number_index"] = blind_index(values["id_number"])
        values.setdefault("id_kind", "resident" if "id_number" in values else "none")
        return self.add(
            Child(
                name=name or f"学生{number}",
                class_id=school_class.id if school_class else None,
                status_id=status_id,
                **self.scope_of(place),
                **values,
            )
        )

    def person(
        self, name: str | None = None, place: School | Township | None = None, **values: Any
    ) -> Person:
        """Add a person of the county, a township or a school."""
        number = next(self._number)
        scope = self.scope_of(place) if place else {"county_id": self.here.id}
        return self.add(Person(name=name or f"干部{number}", **scope, **values))

    def account(self, person: Person, username: str | None = None) -> User:
        """Give a person an account with :data:`PASSWORD`."""
        number = next(self._number)
        name = username or f"user{number}"
        user = self.add(
            User(
                first_name="",
                last_name=person.name,
                username=name,
                email=f"{name}@bureau.invalid",
                password=WEAK_HASH,
                active=True,
            )
        )
        self.add(Account(user_id=user.id, password_changed_at=datetime.now(UTC)))
        person.user_id = user.id
        self.add(person)
        return user

    def appointment(
        self,
        person: Person,
        template: str,
        *,
        township: Township | None = None,
        school: School | None = None,
        schools: tuple[School, ...] = (),
        **values: Any,
    ) -> Appointment:
        """Appoint a person under a role template; the scope follows what is given."""
        role = template_of(template)
        place = school or (schools[0] if schools else None) or township
        scope = self.scope_of(place) if place else {"county_id": self.here.id}
        kind = "schools" if school or schools else "township" if township else "county"
        if not place and role.scope_kind == "linked":
            kind = "linked"
        values.setdefault("valid_from", LONG_AGO)
        values.setdefault("capacity", role.capacity)
        row = Appointment(
            person_id=person.id, template=template, scope_kind=kind, **scope, **values
        )
        if schools:
            row.school_id = None
            row.schools = [AppointmentSchool(**self.scope_of(one)) for one in schools]
        return self.add(row)

    def liaison(
        self, person: Person, capacity: str, place: School | Township, **values: Any
    ) -> LiaisonAssignment:
        """Assign a person to a school, or to all schools of a township."""
        values.setdefault("valid_from", LONG_AGO)
        return self.add(
            LiaisonAssignment(
                person_id=person.id, capacity=capacity, **self.scope_of(place), **values
            )
        )

    def role(self, name: str) -> Role:
        """Return a Flask-AppBuilder role."""
        return self.scalar(select(Role).filter_by(name=name))  # type: ignore[no-any-return]
