"""Make the lists: of an uploaded file, or of the product's own children under a condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, or_, select

from app.kit import (
    Child,
    ChildGroup,
    ChildStatus,
    Code,
    Enrolment,
    Entity,
    ImportColumn,
    ImportRow,
    Key,
    School,
    Session,
    Township,
    blind_indexes,
    number_is_sound,
    read_list,
    school_age,
)

from .catalogue import OwnList
from .matching import NOWHERE, Entry, Place, born
from .models import Residual

AT_ONCE: Final = 20_000
"""Children whose id numbers are read by one statement: databases limit its values."""
LIST: Final = Entity(
    key="reconciliation_list",
    title=_l("List to be compared"),
    model=Residual,
    keys=(Key(("name",)),),
    columns=(
        ImportColumn(
            "name",
            _l("Full name"),
            "name",
            is_required=True,
            field="-",
            aliases=("学生姓名", "儿童姓名", "姓名", "成员姓名"),
        ),
        ImportColumn(
            "id_number",
            _l("Id number"),
            "id_number",
            field="-",
            aliases=(
                "身份证件号",
                "身份证号码",
                "身份证号",
                "公民身份号码",
                "证件号码",
                "学生身份证号",
            ),
        ),
        ImportColumn(
            "born_on", _l("Born on"), "date", field="-", aliases=("出生日期", "出生年月日")
        ),
        ImportColumn(
            "school",
            _l("School"),
            field="-",
            aliases=("学校名称", "就读学校", "所在学校", "学校标识码"),
        ),
        ImportColumn(
            "township",
            _l("Township"),
            field="-",
            aliases=("乡镇", "所在乡镇", "户籍乡镇", "户籍所在乡镇"),
        ),
        ImportColumn(
            "remark",
            _l("Note"),
            field="-",
            aliases=("家庭住址", "户籍地址", "现住址", "地址", "班级"),
        ),
    ),
)


def entries_of_file(
    session: Session, content: bytes, name: str
) -> tuple[list[Entry], list[tuple[Entry, str]]]:
    """Return the lines of a file, and those that cannot be read, each with the reason."""
    rows = read_list(LIST, content, name)
    places = _places(session)
    indexes = blind_indexes(row.get("id_number") for row in rows)
    entries, unread = [], []
    for row, index in zip(rows, indexes, strict=True):
        entry = _entry(row, index, places)
        if row.faults:
            unread.append((entry, " ".join(fault.message for fault in row.faults)))
        else:
            entries.append(entry)
    return entries, unread


def _entry(row: ImportRow, index: str | None, places: Mapping[str, Place]) -> Entry:
    number = row.get("id_number")
    said = [row.get(name) for name in ("school", "township")]
    place = next((places[text] for text in said if text in places), NOWHERE)
    return Entry(
        name=row.get("name") or "—",
        index=index,
        number=number,
        born_on=row.get("born_on") or born(number),
        row=row.number,
        place=place,
        remark=" ".join(text for text in (*said, row.get("remark")) if text)[:400],
    )


def _places(session: Session) -> dict[str, Place]:
    """Return where the rows of a school or township belong, by the words that name it."""
    places: dict[str, Place] = {}
    towns = select(Township.county_id, Township.id, Township.name)
    for county, town, name in session.execute(towns):
        places[name] = (county, town, None)
    schools = select(School.county_id, School.township_id, School.id, School.name, School.code)
    for county, town, school, name, code in session.execute(schools):
        places[name] = places[code] = (county, town, school)
    return places


def entries_of_children(session: Session, own: OwnList, on: date) -> list[Entry]:
    """Return the product's own children that meet a condition, within the reader's scope."""
    return [
        Entry(
            name=child.name,
            index=child.id_number_index,
            born_on=child.born_on,
            child_id=child.id,
            place=(child.county_id, child.township_id, child.school_id),
        )
        for child in session.execute(_children(session, own, on))
    ]


def with_numbers(session: Session, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries with the id numbers that had to be deciphered for them."""
    keys = [one.child_id for one in entries if one.child_id is not None]
    numbers: dict[int, str | None] = {}
    for start in range(0, len(keys), AT_ONCE):
        some = select(Child.id, Child.id_number).where(Child.id.in_(keys[start : start + AT_ONCE]))
        numbers.update((key, number) for key, number in session.execute(some))
    return [
        one if one.child_id is None else replace(one, number=numbers.get(one.child_id))
        for one in entries
    ]


def is_sound(entries: Iterable[Entry | None]) -> bool:
    """Tell whether every id number that is there has the right form and check digit."""
    numbers = [one.number for one in entries if one is not None and one.number]
    return all(number_is_sound(number) for number in numbers)


def _children(session: Session, own: OwnList, on: date) -> Select[Any]:
    columns: list[Any] = [
        Child.id, Child.name, Child.id_number_index, Child.born_on,
        Child.county_id, Child.township_id, Child.school_id,
    ]  # fmt: skip
    query: Select[Any] = select(*columns).where(*_conditions(session, own, on))
    return query.order_by(Child.id)


def _conditions(session: Session, own: OwnList, on: date) -> Iterable[ColumnElement[bool]]:
    if own.statuses:
        known = select(ChildStatus.id).where(ChildStatus.key.in_(own.statuses))
        yield Child.status_id.in_(known)
    if own.seated:
        yield Child.class_id.is_not(None)
    if own.registered:
        yield Child.id.in_(_holding(Enrolment, on).where(Enrolment.is_registered))
    if own.groups:
        named = _holding(ChildGroup, on).join(Code, Code.id == ChildGroup.group_id)
        yield Child.id.in_(named.where(Code.key.in_(own.groups)))
    if own.school_age:
        yield school_age(session, on)


def _holding(model: type[Enrolment] | type[ChildGroup], on: date) -> Select[Any]:
    is_open = or_(model.valid_to.is_(None), model.valid_to >= on)
    return select(model.child_id).where(model.valid_from <= on, is_open)
