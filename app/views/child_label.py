"""Name what the children's screens and papers show."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import lazy_gettext as _l

SEXES: Final[dict[str, Any]] = {"male": _l("Male"), "female": _l("Female")}
ID_KINDS: Final[dict[str, Any]] = {
    "resident": _l("Resident identity number"),
    "other": _l("Other document"),
    "none": _l("No document"),
}
LABELS: Final[dict[str, Any]] = {
    "name": _l("Full name"),
    "sex": _l("Sex"),
    "born_on": _l("Born on"),
    "id_kind": _l("Kind of document"),
    "id_number": _l("Id number"),
    "enrolment_number": _l("Enrolment number"),
    "grade": _l("Own grade"),
    "is_boarding": _l("Boards at school"),
    "household_place": _l("Registered residence"),
    "residence_place": _l("Lives at"),
    "village": _l("Village"),
    "school_responsible": _l("Responsible person at the school"),
    "township_responsible": _l("Responsible person at the township"),
}
