"""Say what the county calls itself 本级行政区称谓: 市 where it is a county-level city."""

from __future__ import annotations

from typing import Final

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app import clock
from app.parameters.value import value_on
from app.words import words

LEVEL: Final = "core.level_name"


def whole_county(session: Session) -> str:
    """Return the words for the whole county 全市, as the parameter says today."""
    level = value_on(session, LEVEL, clock.today())
    return _("Whole %(level)s", level=words(str(level))) if level else _("Everything")
