"""Close lines 销号 with a coded reason and its proof; mend a wrong id number first."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.exc import IntegrityError

from app.kit import (
    Child,
    FieldRefused,
    Refused,
    Session,
    actor,
    blind_indexes,
    judge_number,
    now,
    number_is_sound,
)

from .catalogue import closures
from .matching import born
from .models import Residual

CORRECTED = "number_corrected"


def is_open(line: Residual) -> bool:
    """Tell whether a line still waits to be closed."""
    return line.closed_at is None


def close(line: Residual, key: str | None, *, has_proof: bool) -> None:
    """Stamp a line as closed; raise FieldRefused where the reason does not fit or lacks proof."""
    code = closures().get(key or "")
    if code is None:
        raise FieldRefused("closure", _("Choose the reason of closing."))
    if line.kind not in code.lines:
        names = _(", ").join(fitting_codes(line).values())
        text = _("This reason does not fit the line. Fitting: %(names)s", names=names)
        raise FieldRefused("closure", text)
    if code.sound and not line.is_sound:
        raise FieldRefused(
            "closure",
            _("The id number is wrong: correct it first, or say that the list is wrong."),
        )
    if code.proof and not has_proof:
        raise FieldRefused("evidence_set_id", _("This reason needs a paper or a picture as proof."))
    stamp(line)


def fitting_codes(line: Residual) -> dict[str, str]:
    """Return the titles of the reasons that fit a line, by key."""
    return {
        code.key: str(lazy_gettext(code.title))
        for code in closures().values()
        if line.kind in code.lines and (line.is_sound or not code.sound)
    }


def stamp(line: Residual) -> None:
    """Note who closes a line, and when."""
    line.closed_at = now()
    line.closed_by_id = actor.get().person_id


def reopen(session: Session, line: Residual) -> None:
    """Open a closed line again; its papers stay with it."""
    if is_open(line):
        raise Refused(_("The line is open."))
    line.closure = line.closure_note = line.closed_at = line.closed_by_id = None
    session.flush()


def may_take_over(line: Residual) -> bool:
    """Tell whether one side is the product's own child and the other has a sound id number."""
    return is_open(line) and _taking(line) is not None


def take_over(session: Session, line: Residual) -> None:
    """Give the child the number of the other list; raise Refused where another child has it."""
    taking = _taking(line)
    if taking is None or not is_open(line):
        raise Refused(_("There is no number that can be taken over."))
    child, number = taking
    child.id_kind, child.id_number = "resident", number
    child.id_number_index = blind_indexes([number])[0]
    child.sex = "male" if int(number[16]) % 2 else "female"
    child.born_on = born(number)
    line.closure = CORRECTED
    stamp(line)
    try:
        # Two schools may report one number; nobody makes that happen by correcting another one.
        if judge_number(session, child):
            raise Refused(_("Another child has this id number already."))
        session.flush()
    except IntegrityError:  # also of a child that the reader does not see
        raise Refused(_("Another child has this id number already.")) from None


def _taking(line: Residual) -> tuple[Child, str] | None:
    """Return the child and the number that it would take over."""
    sides = ((line.left_child, line.right_number), (line.right_child, line.left_number))
    for child, number in sides:
        if child is not None and number and number_is_sound(number) and child.id_number != number:
            return child, number
    return None
