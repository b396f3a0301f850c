"""Load the reference data of ``seed/``: codes, statuses, policies, the county, its calendar."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    CalendarDay,
    ChildStatus,
    ChildStatusStep,
    Code,
    County,
    LiaisonAssignment,
    Person,
    SchoolYear,
    Semester,
    Township,
)
from app.parameters.definition import ParameterSpec, Strict, Text
from app.parameters.policy import PolicyDefinition, sync_policy
from app.parameters.sync import sync_parameters

T = TypeVar("T", bound=Strict)
WEEKEND = 5
LIAISON_LEADER = "liaison_leader"
LIAISON_DEPARTMENT = "liaison_department"


class _Status(Strict):
    key: Text
    name: Text
    position: int
    is_monitored: bool
    is_enrolled: bool
    next: tuple[str, ...]


class _Code(Strict):
    domain: Text
    key: Text
    name: Text
    position: int = 0
    is_counted: bool = False


class _Township(Strict):
    code: Text
    name: Text
    alias: str | None = None
    position: int
    go_live_on: date


class _Liaison(Strict):
    township: Text
    leader: Text
    inspectors: tuple[Text, ...]
    start: date = Field(alias="from")
    to: date | None = None


class _Semester(Strict):
    name: Text
    starts_on: date
    ends_on: date


class _SchoolYear(_Semester):
    semester: tuple[_Semester, ...]


class _Day(Strict):
    day: date
    kind: Literal["make_up", "regional_holiday", "closure"]
    name: Text

    @property
    def works(self) -> bool:
        """Tell whether offices work on this day."""
        return self.kind != "regional_holiday"

    @property
    def teaches(self) -> bool:
        """Tell whether schools teach on this day, if it lies in a semester."""
        return self.kind == "make_up"


class _Calendar(Strict):
    school_year: tuple[_SchoolYear, ...]
    vacation: tuple[_Semester, ...] = ()
    """Named for the reader; a day outside the semesters is a day of vacation."""
    day: tuple[_Day, ...]


def load_codes(session: Session, folder: Path) -> None:
    """Store the coded answers and the statuses of children with their allowed steps."""
    _store_codes(session, _rows(_Code, folder / "codes.toml", "code"))
    _store_statuses(session, list(_rows(_Status, folder / "status.toml", "status")))


def load_policies(session: Session, folder: Path) -> None:
    """Store each policy of ``policy/`` with its clauses and the dated values it gives."""
    for path in sorted((folder / "policy").iterdir()):
        policy = PolicyDefinition.model_validate(_read(path / "policy.toml"))
        name = policy.document.text_file
        text = (path / name).read_text(encoding="utf-8") if name else None
        sync_policy(session, policy, text=text)
        for prefix, specs in _read(path / "parameters.toml").items():
            declared = TypeAdapter(dict[str, ParameterSpec]).validate_python(specs)
            sync_parameters(session, prefix, declared)


def load_county(session: Session, folder: Path) -> County:
    """Store the county, its townships, the liaison assignments and the calendar; idempotent."""
    described = _read(folder / "county.toml")["county"]
    county = session.scalar(select(County).filter_by(code=described["code"]))
    if county is None:
        county = County(code=described["code"], name=described["name"])
        session.add(county)
        session.flush()
    townships = _store_townships(
        session, county, _rows(_Township, folder / "townships.toml", "township")
    )
    _store_liaison(session, county, townships, _rows(_Liaison, folder / "liaison.toml", "liaison"))
    _store_calendar(session, county, _Calendar.model_validate(_read(folder / "calendar.toml")))
    session.flush()
    return county


def public_holidays(first: date, last: date) -> dict[date, str]:
    """Return the statutory holidays 法定节假日 of the years between two days, with their names."""
    years = range(first.year, last.year + 1)
    import holidays  # heavy: only those who fill the calendar need it

    return dict(holidays.country_holidays("CN", years=years, language="zh_CN"))


def holiday_names(folder: Path) -> set[str]:
    """Return the names of the statutory holidays in the school years of the calendar."""
    years = _Calendar.model_validate(_read(folder / "calendar.toml")).school_year
    return {name for y in years for name in public_holidays(y.starts_on, y.ends_on).values()}


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _rows(kind: type[T], path: Path, key: str) -> Iterator[T]:
    for row in _read(path)[key]:
        yield kind.model_validate(row)


def _store_codes(session: Session, codes: Iterable[_Code]) -> None:
    stored = {(row.domain, row.key): row for row in session.scalars(select(Code))}
    for code in codes:
        row = stored.get((code.domain, code.key))
        if row is None:
            row = Code(domain=code.domain, key=code.key)
            session.add(row)
        row.name, row.position = code.name, code.position
        row.is_counted = code.is_counted
    session.flush()


def _store_statuses(session: Session, statuses: list[_Status]) -> None:
    stored = {row.key: row for row in session.scalars(select(ChildStatus))}
    for status in statuses:
        row = stored.get(status.key)
        if row is None:
            row = stored[status.key] = ChildStatus(key=status.key)
            session.add(row)
        row.name, row.position = status.name, status.position
        row.is_monitored, row.is_enrolled = status.is_monitored, status.is_enrolled
    session.flush()
    steps = {(row.from_id, row.to_id) for row in session.scalars(select(ChildStatusStep))}
    wanted = {(stored[status.key].id, stored[key].id) for status in statuses for key in status.next}
    session.add_all(ChildStatusStep(from_id=a, to_id=b) for a, b in sorted(wanted - steps))
    session.flush()


def _store_townships(
    session: Session, county: County, townships: Iterable[_Township]
) -> dict[str, Township]:
    stored = {row.code: row for row in session.scalars(select(Township))}
    for township in townships:
        if township.code not in stored:
            stored[township.code] = Township(county_id=county.id, **township.model_dump())
            session.add(stored[township.code])
    session.flush()
    return {row.name: row for row in stored.values()}


def _store_liaison(
    session: Session,
    county: County,
    townships: dict[str, Township],
    assignments: Iterable[_Liaison],
) -> None:
    if session.scalar(select(LiaisonAssignment.id).limit(1)) is not None:
        return  # kept on a screen from then on
    people = {row.name: row for row in session.scalars(select(Person))}

    def person(name: str) -> Person:
        if name not in people:
            people[name] = Person(county_id=county.id, name=name)
            session.add(people[name])
            session.flush()
        return people[name]

    for row in assignments:
        township = townships[row.township]
        pairs = [(LIAISON_LEADER, row.leader)]
        pairs += [(LIAISON_DEPARTMENT, name) for name in row.inspectors]
        for capacity, name in pairs:
            session.add(
                LiaisonAssignment(
                    county_id=county.id,
                    township_id=township.id,
                    person_id=person(name).id,
                    capacity=capacity,
                    valid_from=row.start,
                    valid_to=row.to,
                )
            )
    session.flush()


def _store_calendar(session: Session, county: County, calendar: _Calendar) -> None:
    years = {row.starts_on: row for row in session.scalars(select(SchoolYear))}
    for year in calendar.school_year:
        if year.starts_on in years:
            continue
        row = SchoolYear(
            county_id=county.id, name=year.name, starts_on=year.starts_on, ends_on=year.ends_on
        )
        session.add(row)
        session.flush()
        session.add_all(
            Semester(county_id=county.id, school_year_id=row.id, **semester.model_dump())
            for semester in year.semester
        )
    known = set(session.scalars(select(CalendarDay.day)))
    session.add_all(row for row in _days(county, calendar) if row.day not in known)


def _days(county: County, calendar: _Calendar) -> Iterator[CalendarDay]:
    """Give each day of the school years a row: the table's own days win over the library's."""
    semesters = [semester for year in calendar.school_year for semester in year.semester]
    own = {row.day: row for row in calendar.day}
    for year in calendar.school_year:
        public = public_holidays(year.starts_on, year.ends_on)
        day = year.starts_on
        while day <= year.ends_on:
            described = own.get(day)
            works = described.works if described else day.weekday() < WEEKEND and day not in public
            teaches = described.teaches if described else works
            yield CalendarDay(
                county_id=county.id,
                day=day,
                is_working_day=works,
                is_school_day=teaches and any(s.starts_on <= day <= s.ends_on for s in semesters),
                name=described.name if described else public.get(day),
                source="seed" if described else "holidays",
            )
            day += timedelta(days=1)
