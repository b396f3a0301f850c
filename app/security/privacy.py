"""Mask personal numbers, and check the numbers of resident identity cards 身份证号."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask_babel import gettext as _
from stdnum.cn import ric
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength

SYNTHETIC_REGION = "000000"
"""The region of made-up numbers: the demonstration county names no real person."""
REGION, TAIL = 6, 4


@dataclass(frozen=True, slots=True)
class NumberFault:
    """What is wrong with an identity number; a warning may be stored all the same."""

    level: Literal["error", "warning"]
    message: str


def masked_number(number: str | None) -> str:
    """Return an identity number with its middle hidden: 450331********0019."""
    if not number:
        return ""
    if len(number) <= REGION + TAIL:
        return "*" * len(number)
    hidden = "*" * (len(number) - REGION - TAIL)
    return f"{number[:REGION]}{hidden}{number[-TAIL:]}"


def masked_phone(phone: str | None) -> str:
    """Return a telephone number with its middle hidden: 138****0019."""
    if not phone:
        return ""
    if len(phone) <= 7:
        return "*" * (len(phone) - 2) + phone[-2:] if len(phone) > 2 else "*" * len(phone)
    return f"{phone[:3]}{'*' * (len(phone) - 7)}{phone[-4:]}"


def compact_number(text: str) -> str:
    """Return an identity number as it is stored: half width, without spaces, X as a capital."""
    import unicodedata

    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def number_fault(number: str) -> NumberFault | None:
    """Return what is wrong with the number of a resident identity card, or None.

    Length, characters, date and check digit are errors; an unknown region is a warning, since
    regions were renamed and merged. Region 000000 is for made-up numbers.
    """
    compact = compact_number(number)
    try:
        ric.validate(compact)
    except InvalidLength:
        return NumberFault("error", _("An identity number has 18 characters."))
    except InvalidFormat:
        return NumberFault("error", _("An identity number has 17 digits and a digit or X."))
    except InvalidChecksum:
        return NumberFault("error", _("The last character does not fit the number."))
    except (InvalidComponent, KeyError):
        return _component_fault(compact)
    return None


def _component_fault(number: str) -> NumberFault | None:
    """Tell an impossible date from a region that is not known."""
    try:
        ric.get_birth_date(number)
    except InvalidComponent:
        return NumberFault("error", _("The date of birth in the number is impossible."))
    if number.startswith(SYNTHETIC_REGION):
        return None
    return NumberFault("warning", _("The region of the number is not known."))
