"""Import children, their guardians, special groups and places in schools."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Integer, select
from sqlalchemy.orm import Session

from app import clock
from app.imports.core.organization import (
    BY_CLASS,
    BY_PERSON,
    BY_SCHOOL,
    BY_TOWNSHIP,
    BY_YEAR,
    check_period,
)
from app.imports.core.record import (
    check_moves,
    follow_numbers,
    follow_places,
    forget_problems,
    own_record,
    tell_problems,
    with_problems,
)
from app.imports.entity import Column, Entity, Key, Lookup, Row
from app.imports.stage import staged
from app.imports.store import Edit, Writer
from app.imports.value import birth_of, number_is_sound
from app.models import (
    Child,
    ChildGroup,
    ChildStatus,
    ClassGrade,
    Code,
    Enrolment,
    Guardian,
    StatusEvent,
)
from app.security.privacy import number_fault
from app.security.scope import table_of
from app.workflow.child import unusual_age, usual_births

SEXES = {"male": _l("Male"), "female": _l("Female")}
ID_KINDS = {
    "resident": _l("Resident identity number"),
    "other": _l("Other document"),
    "none": _l("No document"),
}
FIRST_STATUS = "enrolled"
BY_CHILD = Lookup(
    Child,
    by=("id_number_index", "enrolment_number_index", "name"),
    qualifier="born_on",
)
OF_CLASS = ("class", "school_year_id")
BY_STATUS = Lookup(ChildStatus, by=("key", "name"))
CHILD_COLUMN = Column(
    "child",
    _l("Id number"),
    "lookup",
    is_required=True,
    lookup=BY_CHILD,
    help=_l("Id number or enrolment number; without both: name/day of birth"),
)
CHILD_NAME = Column(
    "child_name",
    _l("Full name"),
    "name",
    field="-",
    of=("child", "name"),
    help=_l("Only to compare; may be left out."),
)


def by_code(domain: str) -> Lookup:
    """Return the look-up of a coded answer."""
    return Lookup(Code, by=("key", "name"), where=(("domain", domain),))


def check_names(session: Session, rows: Sequence[Row]) -> None:
    """Note lines whose number belongs to a child of another name."""
    named = [row for row in rows if row.get("child_name") and row.get("child") is not None]
    if not named:
        return
    lines = ((key,) for key in {row.get("child") for row in named})
    connection = session.connection()
    with staged(connection, [SqlColumn("id", Integer)], lines) as stage:
        query = select(Child.id, Child.name).join(stage, stage.c.id == Child.id)
        names = {one.id: one.name for one in connection.execute(query)}
    for row in named:
        if "".join(names[row.get("child")].split()) != "".join(row.get("child_name").split()):
            row.fail("child_name", _("The number belongs to a child of another name."))


def _complete_child(row: Row, today: date) -> None:
    """Judge the id number; read sex and day of birth from it."""
    number = row.values.get("id_number")
    kind = row.values.get("id_kind") or ("resident" if number else None)
    if kind is not None:
        row.values["id_kind"] = kind
    if kind == "none":
        row.values.pop("id_number", None)
    if kind == "resident" and number is None and not row.faults:
        row.fail("id_number", _("This field is required."))
    if kind == "resident" and number is not None:
        _read_number(row, number)
    born_on = row.values.get("born_on")
    if born_on is not None and born_on > today:
        row.fail("born_on", _("This day lies in the future."))


def _read_number(row: Row, number: str) -> None:
    if not number_is_sound(number):
        fault = number_fault(number)
        if fault is not None and fault.level == "error":
            row.fail("id_number", fault.message)
            return
        if fault is not None:
            row.warn("id_number", fault.message)
    row.values["sex"] = "male" if int(number[16]) % 2 else "female"
    row.values["born_on"] = birth_of(number)


def _prepare_child(session: Session, rows: Sequence[Row]) -> None:
    missing = [row for row in rows if row.get("status") is None]
    if missing:
        first = session.execute(select(ChildStatus.id).filter_by(key=FIRST_STATUS)).scalar()
        for row in missing:
            row.values["first_status"] = first
    for row in rows:
        place = row.places.get("class")
        if place and row.places.get("school") and place[2] != row.places["school"][2]:
            row.fail("class", _("The class belongs to another school."))


def _check_child(session: Session, rows: Sequence[Row]) -> None:
    """Keep the status of stored children: it changes by events only; judge their own grades."""
    _check_grades(session, rows)
    for row in rows:
        given = row.get("status")
        if row.stored is None:
            row.values["status"] = given or row.get("first_status")
            row.values.setdefault("id_kind", "none")
        elif given is not None and given != row.stored.status_id:
            row.fail("status", _("The status of a child on file changes by events only."))
    check_moves(session, rows)
    tell_problems(rows)
    _warn_of_ages(session, rows)


def _warn_of_ages(session: Session, rows: Sequence[Row]) -> None:
    """Warn of children who are unusually young or old; they are stored all the same."""
    first, last = usual_births(session)
    for row in rows:
        born_on = row.values.get("born_on")
        if born_on is None or (
            (first is None or born_on >= first) and (last is None or born_on <= last)
        ):
            continue
        if row.stored is None or row.stored.born_on != born_on:
            row.warn("born_on", unusual_age(born_on))


def _check_grades(session: Session, rows: Sequence[Row]) -> None:
    """Note own grades that the class of the line, or of the stored child, does not have."""
    given = [row for row in rows if row.get("grade") is not None]
    if not given:
        return
    grades: dict[int, set[int]] = {}
    for class_id, grade in session.execute(select(ClassGrade.class_id, ClassGrade.grade)):
        grades.setdefault(class_id, set()).add(grade)
    for row in given:
        held = row.get("class") or (row.stored.class_id if row.stored is not None else None)
        known = grades.get(held or 0, set())
        if row.get("grade") not in known:
            names = _(", ").join(map(str, sorted(known))) or "—"
            row.fail("grade", _("The class has the grades: %(grades)s", grades=names))


def _begin_history(session: Session, writer: Writer, rows: Sequence[Row]) -> None:
    """Begin the history of new children with their first status and their first place."""
    new = [row for row in rows if row.stored is None]
    today, basis = clock.today(), str(_("First entry"))
    numbers = [row.number for row in new]
    writer.insert(
        StatusEvent,
        numbers,
        (
            {
                "child_id": row.id,
                "status_id": row.get("status"),
                "happened_on": today,
                "basis": basis,
                **placed(row),
            }
            for row in new
        ),
    )
    _begin_places(writer, [row for row in new if row.place[2] is not None])
    follow_places(session, writer, rows)
    follow_numbers(session, rows)


def _begin_places(writer: Writer, seated: Sequence[Row]) -> None:
    today = clock.today()
    writer.insert(
        Enrolment,
        [row.number for row in seated],
        (
            {
                "child_id": row.id,
                "class_id": row.get("class"),
                "valid_from": today,
                "is_registered": True,
                **placed(row),
            }
            for row in seated
        ),
    )


def placed(row: Row) -> dict[str, int | None]:
    """Return the scope columns of what belongs to a line."""
    county, township, school = row.place
    return {"county_id": county, "township_id": township, "school_id": school}


CHILD = Entity(
    key="child",
    title=_l("Child"),
    model=Child,
    columns=(
        Column("name", _l("Full name"), "name", is_required=True),
        Column("id_kind", _l("Kind of document"), "choice", choices=ID_KINDS),
        Column(
            "id_number",
            _l("Id number"),
            "id_number",
            help=_l("Format the column as text; sex and day of birth are read from it."),
        ),
        Column("enrolment_number", _l("Enrolment number"), "code"),
        Column("sex", _l("Sex"), "choice", choices=SEXES),
        Column("born_on", _l("Born on"), "date", is_past=True),
        Column("status", _l("Status"), "lookup", lookup=BY_STATUS),
        Column(
            "school",
            _l("School"),
            "lookup",
            lookup=BY_SCHOOL,
            help=_l("Leave empty for a child without enrolment; then choose the township."),
        ),
        Column("school_year", _l("School year"), "lookup", lookup=BY_YEAR, field="-", of=OF_CLASS),
        Column("class", _l("Class"), "lookup", lookup=BY_CLASS),
        Column(
            "grade",
            _l("Own grade"),
            "integer",
            help=_l("Only in a multigrade class: it tells who goes on at the year's turn."),
        ),
        Column("township", _l("Township"), "lookup", lookup=BY_TOWNSHIP),
        Column("is_boarding", _l("Boards at school"), "flag"),
        Column("household_place", _l("Registered residence")),
        Column("residence_place", _l("Lives at")),
        Column("village", _l("Village")),
        Column(
            "school_responsible",
            _l("Responsible person at the school"),
            "lookup",
            lookup=BY_PERSON,
        ),
        Column(
            "township_responsible",
            _l("Responsible person at the township"),
            "lookup",
            lookup=BY_PERSON,
        ),
    ),
    keys=(
        Key(("id_number",), choose=own_record),
        Key(("enrolment_number",), choose=own_record),
        Key(("name", "born_on"), optional=("school",), is_weak=True),
    ),
    view="ChildView",
    place=("school", "township"),
    derived=("id_kind", "sex", "born_on", "status"),
    complete=_complete_child,
    prepare=_prepare_child,
    check=_check_child,
    stored=_begin_history,
    undoing=forget_problems,
)

GUARDIAN = Entity(
    key="guardian",
    title=_l("Guardian"),
    model=Guardian,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        Column("name", _l("Name of the guardian"), "name", is_required=True),
        Column("relation", _l("Relation"), "lookup", lookup=by_code("guardian_relation")),
        Column("phone", _l("Telephone"), "code"),
        Column("is_primary", _l("First contact"), "flag"),
    ),
    keys=(Key(("child", "name")),),
    view="GuardianView",
    place=("child",),
    check=check_names,
)


def _complete_group(row: Row, _today: date) -> None:
    check_period(row)


def _check_group(session: Session, rows: Sequence[Row]) -> None:
    """Let a new entry without a day begin today."""
    check_names(session, rows)
    for row in rows:
        if row.stored is None:
            row.values.setdefault("valid_from", clock.today())


CHILD_GROUP = Entity(
    key="child_group",
    title=_l("Special group of a child"),
    model=ChildGroup,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        Column(
            "group",
            _l("Special group"),
            "lookup",
            is_required=True,
            lookup=by_code("special_group"),
        ),
        Column("valid_from", _l("Valid from"), "date"),
        Column("valid_to", _l("Valid until"), "date"),
    ),
    keys=(Key(("child", "group")),),
    view="ChildGroupView",
    place=("child",),
    derived=("valid_from",),
    complete=_complete_group,
    check=_check_group,
)


def _complete_enrolment(row: Row, _today: date) -> None:
    check_period(row)


def _check_enrolment(session: Session, rows: Sequence[Row]) -> None:
    check_names(session, rows)
    unsettled = with_problems(session)
    for row in rows:
        if row.stored is None and row.get("valid_to") is None and row.get("child") in unsettled:
            text = _("Several schools report the number of this child: settle that first.")
            row.fail("child", text)
        place = row.places.get("class")
        if place and place[2] != row.place[2]:
            row.fail("class", _("The class belongs to another school."))


def _move(session: Session, writer: Writer, rows: Sequence[Row]) -> None:
    """Let a place that begins now end the one before, and move the child there."""
    today = clock.today()
    moving = {
        row.get("child"): row
        for row in sorted(rows, key=lambda one: one.get("valid_from"))
        if row.stored is None and row.get("valid_to") is None and row.get("valid_from") <= today
    }
    if not moving:
        return
    connection = session.connection()
    table, child = table_of(Enrolment), table_of(Child)
    lines = ((key,) for key in moving)
    with staged(connection, [SqlColumn("id", Integer)], lines) as stage:
        held = connection.execute(
            select(table)
            .join(stage, stage.c.id == table.c.child_id)
            .where(table.c.valid_to.is_(None))
        ).all()
        names = ("id", "row_version", "township_id", "school_id", "class_id")
        children = connection.execute(
            select(*(child.c[name] for name in names)).join(stage, stage.c.id == child.c.id)
        ).all()
    writer.update(
        Enrolment,
        [
            Edit(row.number, old.id, old.row_version, {}, values, values)
            for old in held
            if old.valid_from < (row := moving[old.child_id]).get("valid_from")
            and (values := {"valid_to": row.get("valid_from") - timedelta(days=1)})
        ],
    )
    edits = []
    for one in children:
        row = moving[one.id]
        _county, township, school = row.place
        final = {"township_id": township, "school_id": school, "class_id": row.get("class")}
        before = {name: getattr(one, name) for name in final if getattr(one, name) != final[name]}
        if before:
            after = {name: final[name] for name in before}
            edits.append(Edit(row.number, one.id, one.row_version, before, after, final))
    writer.update(Child, edits)


ENROLMENT = Entity(
    key="enrolment",
    title=_l("Enrolment"),
    model=Enrolment,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        Column("school", _l("School"), "lookup", is_required=True, lookup=BY_SCHOOL),
        Column("school_year", _l("School year"), "lookup", lookup=BY_YEAR, field="-", of=OF_CLASS),
        Column("class", _l("Class"), "lookup", lookup=BY_CLASS),
        Column("valid_from", _l("Valid from"), "date", is_required=True),
        Column("valid_to", _l("Valid until"), "date"),
        Column("is_registered", _l("Holds the enrolment record"), "flag"),
    ),
    keys=(Key(("child", "valid_from")),),
    view="EnrolmentView",
    place=("school",),
    complete=_complete_enrolment,
    check=_check_enrolment,
    stored=_move,
)
