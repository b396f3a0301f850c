"""Say what the county calls itself 本级行政区称谓: 市 where it is a county-level city."""

from __future__ import annotations

from typing import Final

from flask import g
from flask_babel import LazyString
from flask_babel import gettext as _

from app import clock
from app.extensions import db
from app.parameters.value import value_on
from app.words import words

LEVEL: Final = "core.level_name"


def _whole_county() -> str:
    """Return the words, the parameter read once in a request."""
    if "level_name" not in g:
        g.level_name = value_on(db.session(), LEVEL, clock.today())
    if not g.level_name:
        return _("Everything")
    return _("Whole %(level)s", level=words(str(g.level_name)))


WHOLE_COUNTY: Final = LazyString(_whole_county)
"""The words for the whole county 全市, as the parameter says today."""
