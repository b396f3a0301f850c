"""Lead cases from 待认定 to 处理建议 and 移送: with statement and appeal, never by oneself."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from app.kit import (
    FieldRefused,
    Refused,
    Session,
    Violation,
    _,
    actor,
    inspection_types,
    settings_of,
    today,
    working_days_after,
)

from .matching import matches
from .models import AccountabilityCase, SuperiorFinding
from .words import (
    APPEALED,
    CANDIDATE,
    CONCLUDED,
    DISMISSED,
    HELD,
    INTERVIEW,
    OPENED,
    OVERLOOKED,
    PLUGIN,
    RECOMMENDED,
    TRANSFERRED,
)


def compare(session: Session, finding: SuperiorFinding) -> list[tuple[date, str, int, str, str]]:
    """Return who is matched with a superior finding: day, type, person, capacity, result."""
    settings = settings_of(session, PLUGIN, finding.found_on)
    found = matches(settings).where(SuperiorFinding.id == finding.id).subquery()
    rows = session.execute(
        select(
            found.c.occurred_on, found.c.type_key, found.c.person_id, found.c.capacity,
            found.c.result,
        ).order_by(found.c.occurred_on, found.c.inspection_id, found.c.person_id)
    )  # fmt: skip
    return [tuple(row) for row in rows]


def open_cases(session: Session, finding: SuperiorFinding) -> None:
    """Open a case for everybody matched who has none; take back those that hold no more.

    Only a case that nobody has acted on is taken back: one that has gone on is decided by people.
    """
    settings = settings_of(session, PLUGIN, finding.found_on)
    found = matches(settings).where(SuperiorFinding.id == finding.id).subquery()
    matched = {
        (row.inspection_id, row.person_id): row.capacity
        for row in session.execute(select(found).where(found.c.result == HELD))
    }
    known = {
        (case.inspection_id, case.person_id): case
        for case in session.scalars(
            select(AccountabilityCase).where(AccountabilityCase.superior_finding_id == finding.id)
        )
    }
    for key in matched.keys() - known.keys():
        session.add(_case(finding, *key, matched[key]))
    for key, case in known.items():
        if key not in matched and case.state == OPENED and case.statement is None:
            case.state, case.dismissed_on = DISMISSED, today()
            case.dismissal = _("What it rests on was corrected.")


def _case(
    finding: SuperiorFinding, inspection_id: int, person_id: int, capacity: str
) -> AccountabilityCase:
    return AccountabilityCase(
        kind=OVERLOOKED,
        state=OPENED,
        opened_on=today(),
        superior_finding_id=finding.id,
        inspection_id=inspection_id,
        person_id=person_id,
        capacity=capacity,
        ground=finding.facts,
        county_id=finding.county_id,
        township_id=finding.township_id,
        school_id=finding.school_id,
    )


def confirm_candidate(session: Session, case: AccountabilityCase) -> None:
    """Open an interview on what a rule found; a person confirms, and only while it holds."""
    violation = case.violation
    if violation is None or not is_candidate(violation):
        raise FieldRefused("violation", _("Choose one of the candidates for interviews."))
    if violation.resolved_on is not None:
        raise FieldRefused("violation", _("This candidate holds no more."))
    taken = select(AccountabilityCase.id).where(
        AccountabilityCase.violation_id == violation.id, AccountabilityCase.state != DISMISSED
    )
    if session.scalar(taken.limit(1)) is not None:
        raise FieldRefused("violation", _("An interview on it is under way already."))
    if case.person_id is not None and case.person_id == actor.get().person_id:
        raise FieldRefused("person", _("Nobody leads his own case."))
    case.kind, case.state, case.opened_on = INTERVIEW, OPENED, today()
    case.county_id, case.township_id = violation.county_id, violation.township_id
    case.school_id = violation.school_id


def is_candidate(violation: Violation) -> bool:
    """Tell whether a violation names a candidate for an interview."""
    return violation.rule_key.startswith(f"{PLUGIN}.") and violation.code == CANDIDATE


def state_own(case: AccountabilityCase) -> None:
    """Take the statement of whom a case concerns."""
    _own(case)
    _in(case, OPENED)
    if not case.statement:
        raise FieldRefused("statement", _("Write your statement."))
    case.stated_on = today()


def appeal(session: Session, case: AccountabilityCase) -> None:
    """Take the appeal of whom a case concerns, once and in time."""
    _own(case)
    _in(case, RECOMMENDED)
    if case.replied_on is not None:
        raise Refused(_("The appeal was answered already."))
    if today() > last_day_of_appeal(session, case):
        raise Refused(_("The time for an appeal has passed."))
    if not case.appeal:
        raise FieldRefused("appeal", _("Write your appeal."))
    case.state, case.appealed_on = APPEALED, today()


def recommend(session: Session, case: AccountabilityCase) -> None:
    """Make the recommendation 处理建议, or keep or change it after an appeal."""
    _not_own(case)
    _in(case, OPENED, APPEALED)
    if not case.recommendation:
        raise FieldRefused("recommendation", _("Write the recommendation."))
    if case.state == APPEALED:
        if not case.appeal_reply:
            raise FieldRefused("appeal_reply", _("Answer the appeal."))
        case.replied_on = today()
    elif case.person_id is not None and case.statement is None:
        last = last_day_of_statement(session, case)
        if today() <= last:
            text = _("Wait for the statement, or until after %(day)s.", day=last.isoformat())
            raise Refused(text)
    if case.state == OPENED:
        case.recommended_on = today()
    case.state = RECOMMENDED


def transfer(session: Session, case: AccountabilityCase) -> None:
    """Transfer 移送 a case to whom it belongs, once no appeal is possible any more."""
    _not_own(case)
    _in(case, RECOMMENDED)
    _after_appeal(session, case)
    if not case.transferred_to:
        raise FieldRefused("transferred_to", _("Name whom it is transferred to."))
    case.transferred_on = _past("transferred_on", case.transferred_on, case.recommended_on)
    case.state = TRANSFERRED


def conclude(session: Session, case: AccountabilityCase) -> None:
    """Enter the outcome with its number; an interview is held without a transfer."""
    _not_own(case)
    if case.kind == INTERVIEW and case.state == RECOMMENDED:
        _after_appeal(session, case)
    else:
        _in(case, TRANSFERRED)
    for name in ("outcome", "outcome_number"):
        if not getattr(case, name):
            raise FieldRefused(name, _("Enter the outcome with its number and its day."))
    case.outcome_on = _past(
        "outcome_on", case.outcome_on, case.transferred_on or case.recommended_on
    )
    case.state = CONCLUDED


def dismiss(case: AccountabilityCase) -> None:
    """Do not pursue a case; say why."""
    _not_own(case)
    _in(case, OPENED, RECOMMENDED, APPEALED)
    if not case.dismissal:
        raise FieldRefused("dismissal", _("Say why the case is not pursued."))
    case.state, case.dismissed_on = DISMISSED, today()


def last_day_of_statement(session: Session, case: AccountabilityCase) -> date:
    """Return the last day on which the statement is waited for."""
    return _after(session, case, case.opened_on, "statement_days")


def last_day_of_appeal(session: Session, case: AccountabilityCase) -> date:
    """Return the last day of an appeal against the recommendation."""
    assert case.recommended_on is not None
    return _after(session, case, case.recommended_on, "appeal_days")


def _after(session: Session, case: AccountabilityCase, day: date, name: str) -> date:
    days = int(getattr(settings_of(session, PLUGIN, day), name))
    return working_days_after(session, day, days, county_id=case.county_id)


def _after_appeal(session: Session, case: AccountabilityCase) -> None:
    """Wait until the appeal is answered, or its time has passed; a unit does not appeal here."""
    if case.replied_on is not None or case.person_id is None:
        return
    last = last_day_of_appeal(session, case)
    if today() <= last:
        text = _("An appeal is possible until %(day)s: go on after it.", day=last.isoformat())
        raise Refused(text)


def _in(case: AccountabilityCase, *states: str) -> None:
    if case.state not in states:
        raise Refused(_("The case has gone on meanwhile: its page says what can be done."))


def _own(case: AccountabilityCase) -> None:
    if case.person_id is None or case.person_id != actor.get().person_id:
        raise Refused(_("Only whom the case concerns speaks here."))


def _not_own(case: AccountabilityCase) -> None:
    if case.person_id is not None and case.person_id == actor.get().person_id:
        raise Refused(_("Nobody leads his own case."))


def _past(field: str, day: date | None, first: date | None) -> date:
    if day is None:
        raise FieldRefused(field, _("Enter the day."))
    if day > today():
        raise FieldRefused(field, _("This day lies in the future."))
    if first is not None and day < first:
        text = _("This day lies before %(day)s, the step before.", day=first.isoformat())
        raise FieldRefused(field, text)
    return day


def type_titles() -> dict[str, str]:
    """Return the titles of the inspection types by key."""
    return {kind.key: _(kind.title) for kind in inspection_types()}
