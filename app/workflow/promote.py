"""Promote all classes in one step, by statements over all children, and take it back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session, aliased

from app import clock
from app.base import Model, Refused
from app.models import (
    Child,
    ChildStatus,
    ChildStatusStep,
    ClassGrade,
    Enrolment,
    Promotion,
    PromotionChild,
    PromotionClass,
    School,
    SchoolClass,
    SchoolYear,
    StatusEvent,
)
from app.security import guard
from app.workflow.promotion import GRADUATED, UNDER_WAY, ClassPlan, Plan, plan

ONE_DAY = timedelta(days=1)
_SCOPE = ("county_id", "township_id", "school_id")


def promote(session: Session, school: School | None = None) -> Promotion:
    """Promote the classes of a school, or of all schools in the scope; return what was done.

    The first day of the next year must have come, and nobody may have been promoted into it.
    """
    # The lock keeps two from promoting the same classes.
    session.execute(select(SchoolYear.id).order_by(SchoolYear.id).with_for_update())
    planned = plan(session, None if school is None else [school.id])
    if not planned.classes:
        raise Refused(_("No child sits in a class of %(year)s any more.", year=planned.from_year))
    if planned.day > clock.today():
        raise Refused(_("The next school year begins on %(day)s only.", day=planned.day))
    done = Promotion(
        from_year_id=planned.from_year.id,
        to_year_id=planned.to_year.id,
        happened_on=planned.day,
        moved=planned.moved,
        graduated=planned.graduated,
        left=planned.left,
        **_common(one.school for one in planned.classes),
    )
    # The classes were read through the guard; what follows names them and needs no narrowing.
    with guard.unrestricted():
        session.add(done)
        session.flush()
        _make_classes(session, done, planned)
        _list_children(session, done, planned)
        _move(session, done)
    return done


def _common(schools: Iterable[School]) -> dict[str, int | None]:
    """Return the smallest unit that holds all the schools: one of them, a township, the county."""
    scopes = [_scope(school) for school in schools]
    common = {name: {scope[name] for scope in scopes} for name in _SCOPE}
    return {name: next(iter(keys)) if len(keys) == 1 else None for name, keys in common.items()}


def _make_classes(session: Session, done: Promotion, planned: Plan) -> None:
    """Make the classes of the next year that are not there yet; note which follows which."""
    new = [one for one in planned.classes if one.grades and one.target is None]
    made = [_class_of(one, planned) for one in new]
    session.add_all(made)
    session.flush()
    following = {one.source.id: row.id for one, row in zip(new, made, strict=True)}
    known = {one.source.id: one.target.id for one in planned.classes if one.target is not None}
    session.execute(
        insert(PromotionClass),
        [
            {
                "promotion_id": done.id,
                "from_class_id": one.source.id,
                "to_class_id": following.get(one.source.id, known.get(one.source.id)),
                "is_new": one.source.id in following,
                **_scope(one.school),
            }
            for one in planned.classes
        ],
    )


def _class_of(one: ClassPlan, planned: Plan) -> SchoolClass:
    scope = _scope(one.school)
    row = SchoolClass(
        school_year_id=planned.to_year.id,
        name=one.name,
        position=one.source.position,
        teacher_id=one.source.teacher_id,
        **scope,
    )
    row.grades = [ClassGrade(grade=grade, **scope) for grade in one.grades]
    return row


def _scope(school: School) -> dict[str, int]:
    return {
        "county_id": school.county_id,
        "township_id": school.township_id,
        "school_id": school.id,
    }


def _list_children(session: Session, done: Promotion, planned: Plan) -> None:
    """Note every child that moves with what he was, in one statement for each kind of step."""
    keys = select(ChildStatus.key, ChildStatus.id).where(
        ChildStatus.key.in_((GRADUATED, UNDER_WAY))
    )
    status = {row.key: row.id for row in session.execute(keys)}
    seated = PromotionClass.to_class_id.is_not(None)
    _note(session, done, and_(seated, ~_finishes(planned.classes)), None)
    for key, ends in ((GRADUATED, True), (UNDER_WAY, False)):
        classes = [one for one in planned.classes if one.ends is ends]
        whole = PromotionClass.from_class_id.in_([o.source.id for o in classes if not o.grades])
        _note(session, done, or_(whole, _finishes(classes)), status[key])


def _finishes(classes: Iterable[ClassPlan]) -> ColumnElement[bool]:
    """Tell whether a child of a multigrade class leaves it by his own grade."""
    by_class = (
        and_(Child.class_id == one.source.id, Child.grade >= one.last)
        for one in classes
        if one.mixes
    )
    return func.coalesce(or_(false(), *by_class), false())


def _note(
    session: Session, done: Promotion, chosen: ColumnElement[bool], status_id: int | None
) -> None:
    step = select(ChildStatusStep.id).where(
        ChildStatusStep.from_id == Child.status_id, ChildStatusStep.to_id == status_id
    )
    rows = (
        select(
            *(getattr(Child, name) for name in _SCOPE),
            literal(done.id),
            Child.id,
            PromotionClass.from_class_id,
            Child.status_id,
            PromotionClass.to_class_id if status_id is None else null(),
            Child.status_id if status_id is None else literal(status_id),
        )
        .join(PromotionClass, PromotionClass.from_class_id == Child.class_id)
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .where(
            PromotionClass.promotion_id == done.id,
            chosen,
            ChildStatus.is_enrolled,
            true() if status_id is None else exists(step),
        )
    )
    names = [
        *_SCOPE, "promotion_id", "child_id", "from_class_id", "from_status_id", "to_class_id",
        "to_status_id",
    ]  # fmt: skip
    session.execute(insert(PromotionChild).from_select(names, rows))


def _lines(done: Promotion, *conditions: ColumnElement[bool]) -> Any:
    return select(PromotionChild.child_id).where(
        PromotionChild.promotion_id == done.id, *conditions
    )


def _classes(done: Promotion, column: Any) -> Any:
    return select(column).where(PromotionClass.promotion_id == done.id, column.is_not(None))


def _changed() -> ColumnElement[bool]:
    return PromotionChild.to_status_id != PromotionChild.from_status_id


def _value(done: Promotion, column: Any) -> Any:
    """Return a column of a child's line, for the child that a statement writes."""
    return (
        select(column)
        .where(PromotionChild.promotion_id == done.id, PromotionChild.child_id == Child.id)
        .scalar_subquery()
    )


def _move(session: Session, done: Promotion) -> None:
    """Write the new places, end the old ones, note the new statuses, move the children."""
    day, graduated = done.happened_on, _graduated(session)
    seated, ended = (
        PromotionChild.to_class_id.is_not(None),
        PromotionChild.to_status_id == graduated,
    )
    old = aliased(Enrolment)
    places = (
        select(
            *(getattr(PromotionChild, name) for name in _SCOPE),
            PromotionChild.child_id,
            PromotionChild.to_class_id,
            literal(day),
            func.coalesce(old.is_registered, true()),
        )
        .outerjoin(
            old,
            and_(
                old.child_id == PromotionChild.child_id,
                old.class_id == PromotionChild.from_class_id,
                old.valid_to.is_(None),
            ),
        )
        .where(PromotionChild.promotion_id == done.id, seated)
    )
    names = [*_SCOPE, "child_id", "class_id", "valid_from", "is_registered"]
    session.execute(insert(Enrolment).from_select(names, places))
    session.execute(
        _writing(Enrolment)
        .where(
            Enrolment.child_id.in_(_lines(done, seated | ended)),
            Enrolment.valid_to.is_(None),
            Enrolment.class_id.in_(_classes(done, PromotionClass.from_class_id)),
        )
        .values(valid_to=day - ONE_DAY)
    )
    _note_statuses(session, done)
    session.execute(
        _writing(Child)
        .where(Child.id.in_(_lines(done, seated)))
        .values(class_id=_value(done, PromotionChild.to_class_id), grade=Child.grade + 1)
    )
    session.execute(
        _writing(Child)
        .where(Child.id.in_(_lines(done, _changed())))
        .values(status_id=_value(done, PromotionChild.to_status_id))
    )
    session.execute(_writing(Child).where(Child.id.in_(_lines(done, ended))).values(class_id=None))
    session.expire_all()


def _note_statuses(session: Session, done: Promotion) -> None:
    basis = str(_("Promotion of the classes, %(year)s", year=done.to_year))
    events = select(
        *(getattr(PromotionChild, name) for name in _SCOPE),
        PromotionChild.child_id,
        PromotionChild.to_status_id,
        literal(done.happened_on),
        literal(basis),
    ).where(PromotionChild.promotion_id == done.id, _changed())
    names = [*_SCOPE, "child_id", "status_id", "happened_on", "basis"]
    session.execute(insert(StatusEvent).from_select(names, events))


def _writing(model: type[Any]) -> Any:
    """Return an update of many rows that counts their versions, too."""
    return (
        update(model)
        .values(row_version=model.row_version + 1)
        .execution_options(synchronize_session=False)
    )


def _graduated(session: Session) -> int | None:
    return session.scalar(select(ChildStatus.id).where(ChildStatus.key == GRADUATED))


def undo(session: Session, done: Promotion) -> None:
    """Take a promotion back; raise Refused as soon as something rests on it."""
    if done.undone_at is not None:
        raise Refused(_("This promotion was taken back already."))
    with guard.unrestricted():
        reasons = list(_reasons(session, done))
        if reasons:
            raise Refused(_("It cannot be taken back: %(reasons)s", reasons=_("; ").join(reasons)))
        _take_back(session, done)
        done.undone_at = clock.now()
        session.flush()


def _reasons(session: Session, done: Promotion) -> Iterable[str]:
    """Yield what has come to rest on a promotion."""
    moved = _count(
        session,
        select(PromotionChild.id)
        .join(Child, Child.id == PromotionChild.child_id)
        .where(
            PromotionChild.promotion_id == done.id,
            PromotionChild.to_class_id.is_not(None)
            & Child.class_id.is_distinct_from(PromotionChild.to_class_id)
            | _changed() & (Child.status_id != PromotionChild.to_status_id),
        ),
    )
    if moved:
        yield _("%(count)s children have moved on since", count=moved)
    new = _classes(done, PromotionClass.to_class_id).where(PromotionClass.is_new)
    for table, column in _referring():
        rows = select(table.c.id).where(table.c[column].in_(new))
        if table.name in {"child", "enrolment"}:
            child_id = table.c.id if table.name == "child" else table.c.child_id
            rows = rows.where(child_id.not_in(_lines(done)))
        count = _count(session, rows)
        if count:
            text = _(
                "%(count)s records of the new classes (%(table)s)", count=count, table=table.name
            )
            yield text


def _referring() -> Iterable[tuple[Table, str]]:
    """Yield the columns that point to a class, but for those that the promotion itself wrote."""
    own = {"class_grade", "promotion_class", "promotion_child"}
    for table in Model.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column.table.name == SchoolClass.__tablename__ and table.name not in own:
                yield table, key.parent.name


def _count(session: Session, rows: Any) -> int:
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _take_back(session: Session, done: Promotion) -> None:
    day, graduated = done.happened_on, _graduated(session)
    seated, ended = (
        PromotionChild.to_class_id.is_not(None),
        PromotionChild.to_status_id == graduated,
    )
    session.execute(
        _writing(Child)
        .where(Child.id.in_(_lines(done)))
        .values(
            class_id=_value(done, PromotionChild.from_class_id),
            status_id=_value(done, PromotionChild.from_status_id),
        )
    )
    session.execute(
        _deleting(Enrolment).where(
            Enrolment.child_id.in_(_lines(done, seated)),
            Enrolment.valid_from == day,
            Enrolment.class_id.in_(_classes(done, PromotionClass.to_class_id)),
        )
    )
    session.execute(
        _writing(Enrolment)
        .where(
            Enrolment.child_id.in_(_lines(done, seated | ended)),
            Enrolment.valid_to == day - ONE_DAY,
            Enrolment.class_id.in_(_classes(done, PromotionClass.from_class_id)),
        )
        .values(valid_to=None)
    )
    session.execute(
        _deleting(StatusEvent).where(
            StatusEvent.child_id.in_(_lines(done, _changed())),
            StatusEvent.happened_on == day,
            StatusEvent.status_id.in_(
                select(PromotionChild.to_status_id).where(
                    PromotionChild.promotion_id == done.id, _changed()
                )
            ),
        )
    )
    session.execute(
        update(Child)
        .where(Child.id.in_(_lines(done, seated)), Child.grade.is_not(None))
        .values(grade=Child.grade - 1)
        .execution_options(synchronize_session=False)
    )
    _remove_classes(session, done)
    session.expire_all()


def _deleting(model: type[Any]) -> Any:
    return delete(model).execution_options(synchronize_session=False)


def _remove_classes(session: Session, done: Promotion) -> None:
    made = _classes(done, PromotionClass.to_class_id).where(PromotionClass.is_new)
    new = list(session.scalars(made))
    for model in (PromotionClass, PromotionChild):
        session.execute(
            update(model)
            .where(model.promotion_id == done.id, model.to_class_id.in_(new))
            .values(to_class_id=None)
            .execution_options(synchronize_session=False)
        )
    session.execute(_deleting(ClassGrade).where(ClassGrade.class_id.in_(new)))
    session.execute(_deleting(SchoolClass).where(SchoolClass.id.in_(new)))
