"""Choose which record a line of a roster means, and follow where its child sits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Connection, Integer, select
from sqlalchemy.orm import Session

from app import clock
from app.columns import blind_index
from app.imports.entity import Choose, Row
from app.imports.stage import staged
from app.imports.store import Edit, Writer
from app.models import ChildStatus, Enrolment, EnrolmentProblem, StatusEvent, Transfer
from app.models.enrolment_problem import ENDED
from app.security.scope import table_of
from app.workflow import enrolment_problem as problems
from app.workflow.transfer import ARRIVED, UNDER_WAY

ONE_DAY = timedelta(days=1)
PLACE = ("county_id", "township_id", "school_id")


def own_record(connection: Connection) -> Choose:
    """Return how a line finds its record: at its own school, or where no school has the child.

    A number that another school holds makes a record of its own, a problem enrolment 问题学籍: a
    roster pulls no child over and overwrites none. Who is on the way from a school without a named
    receiver, after a promotion, arrives by the roster.
    """
    status, problem = table_of(ChildStatus), table_of(EnrolmentProblem)
    rows = connection.execute(select(status.c.id, status.c.key).where(status.c.is_enrolled)).all()
    held = {row.id for row in rows}
    on_the_way = {row.id for row in rows if row.key == UNDER_WAY}
    columns = (problem.c.number_index, problem.c.school_id, problem.c.settled_on)
    ended = connection.execute(select(*columns).where(problem.c.state == ENDED))
    against = {(row.number_index, row.school_id): row.settled_on for row in ended}

    def choose(row: Row, candidates: Sequence[Any]) -> Any:
        school = row.place[2]
        own = [one for one in candidates if one.school_id == school]
        there = [one for one in candidates if one.school_id is not None and one.status_id in held]
        if own:
            return own[0]
        if len(candidates) == 1 and (
            school is None or not there or there[0].status_id in on_the_way
        ):
            return candidates[0]
        day = against.get((candidates[0].id_number_index, school or 0))
        if day is not None:
            row.fail("id_number", problems.settled_against(day))
        elif school is None or not there:
            row.fail("id_number", _("Several stored rows fit this row."))
        else:
            row.others = tuple(there)
        return None

    return choose


def tell_problems(rows: Iterable[Row]) -> None:
    """Warn of the numbers that another school reports, on file or in the same file."""
    new = [row for row in rows if row.stored is None]
    numbers = [number for row in new if (number := row.values.get("id_number")) is not None]
    if len(set(numbers)) == len(numbers) and not any(row.others for row in new):
        return
    seen = Counter(numbers)
    for row in new:
        if row.others or seen[row.values.get("id_number")] > 1:
            row.warn("id_number", problems.told())


def follow_numbers(session: Session, rows: Sequence[Row]) -> None:
    """Open the tasks for numbers that several schools report; settle those that are corrected."""
    new = [row for row in rows if row.stored is None and row.warnings]
    shared = {blind_index(row.get("id_number")) for row in new if row.get("id_number") is not None}
    if shared:
        problems.open_missing(session, rows[0].place[0] or 0, {one for one in shared if one})
    if any(row.stored is not None for row in rows):
        problems.close_stale(session)


def forget_problems(session: Session, child_ids: Collection[int]) -> None:
    """Take away the tasks of children whose batch is taken back."""
    problems.forget(session, child_ids)


def check_moves(session: Session, rows: Iterable[Row]) -> None:
    """Judge the lines that bring a stored child to another school."""
    moving = [row for row in rows if row.stored is not None and _leaves(row)]
    if not moving:
        return
    arrived, under_way = (
        session.execute(select(ChildStatus.id).filter_by(key=key)).scalar()
        for key in (ARRIVED, UNDER_WAY)
    )
    transfer = table_of(Transfer)
    waiting = select(transfer.c.child_id).where(
        transfer.c.arrived_on.is_(None), transfer.c.cancelled_on.is_(None)
    )
    named = set(session.connection().scalars(waiting))
    for row in moving:
        if row.stored.id in named:
            row.fail("school", _("A transfer is under way: the receiving school confirms it."))
        elif row.get("class") is None and row.stored.class_id is not None:
            row.fail("class", _("The child comes from another school: name the class."))
        elif row.stored.status_id == under_way:
            row.values["status"] = arrived


def _leaves(row: Row) -> bool:
    return row.place[2] is not None and row.place[2] != row.stored.school_id


def follow_places(session: Session, writer: Writer, rows: Sequence[Row]) -> None:
    """Note in the history 学籍与班级经历 where stored children sit now, and that they arrived."""
    moved = {
        row.stored.id: row
        for row in rows
        if row.stored is not None
        and row.place[2] is not None
        and (_leaves(row) or _changes_class(row))
    }
    if not moved:
        return
    today, table = clock.today(), table_of(Enrolment)
    connection = session.connection()
    with staged(connection, [SqlColumn("id", Integer)], ((key,) for key in moved)) as stage:
        query = select(table).join(stage, stage.c.id == table.c.child_id)
        held = connection.execute(query.where(table.c.valid_to.is_(None))).all()
    before = [one for one in held if one.valid_from < today]
    begun = {one.child_id: one for one in held if one.valid_from == today}
    after = {"valid_to": today - ONE_DAY}
    writer.update(
        Enrolment,
        [
            Edit(moved[one.child_id].number, one.id, one.row_version, {}, after, after)
            for one in before
        ],
    )
    edits = []
    for key, one in begun.items():
        final = _seat(moved[key])
        old = {name: getattr(one, name) for name in final if getattr(one, name) != final[name]}
        new = {name: final[name] for name in old}
        if old:
            edits.append(Edit(moved[key].number, one.id, one.row_version, old, new, final))
    writer.update(Enrolment, edits)
    new_ones = [(key, row) for key, row in moved.items() if key not in begun]
    guests = {one.child_id for one in before if not one.is_registered}
    writer.insert(
        Enrolment,
        [row.number for _key, row in new_ones],
        (
            {
                "child_id": key,
                "valid_from": today,
                "is_registered": _leaves(row) or key not in guests,
                **_seat(row),
            }
            for key, row in new_ones
        ),
    )
    _note_arrivals(writer, [row for row in moved.values() if _arrives(row)])


def _changes_class(row: Row) -> bool:
    return row.get("class") is not None and row.get("class") != row.stored.class_id


def _arrives(row: Row) -> bool:
    return _leaves(row) and row.get("status") not in (None, row.stored.status_id)


def _seat(row: Row) -> dict[str, Any]:
    return {"class_id": row.get("class"), **dict(zip(PLACE, row.place, strict=True))}


def _note_arrivals(writer: Writer, rows: Sequence[Row]) -> None:
    basis = str(_("On the roster of the receiving school"))
    writer.insert(
        StatusEvent,
        [row.number for row in rows],
        (
            {
                "child_id": row.stored.id,
                "status_id": row.get("status"),
                "happened_on": clock.today(),
                "basis": basis,
                **dict(zip(PLACE, row.place, strict=True)),
            }
            for row in rows
        ),
    )


def with_problems(session: Session) -> set[int]:
    """Return the children whose enrolment is an open problem."""
    table = table_of(EnrolmentProblem)
    query = select(table.c.child_id).where(table.c.settled_on.is_(None))
    return set(session.connection().scalars(query))
