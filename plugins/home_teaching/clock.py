"""Read times of day as people write them, and keep them as ``09:00``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from wtforms import StringField
from wtforms.widgets import TimeInput

from app.kit import _

WRITTEN: Final = re.compile(r"(\d{1,2})[:.时点](\d{2})(?::00(?:\.0+)?)?分?")
COMPACT: Final = re.compile(r"(\d{1,2})(\d{2})")


def time_of(text: str) -> str | None:
    """Return a time of day as ``09:00``, or None where the text is none: 9:00, 0900, 9：00."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    match = WRITTEN.fullmatch(plain) or COMPACT.fullmatch(plain)
    if match is None:
        return None
    hour, minute = (int(part) for part in match.groups())
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def minutes_of(starts_at: str, ends_at: str) -> int:
    """Return the minutes from one time of a day to another."""
    since, until = (int(at[:2]) * 60 + int(at[3:]) for at in (starts_at, ends_at))
    return until - since


class ClockField(StringField):
    """A time of day, typed into the browser's own time input."""

    widget = TimeInput()

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("render_kw", {"class": "form-control"})
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read a time of day."""
        typed = valuelist[0].strip() if valuelist else ""
        self.data = time_of(typed) if typed else None
        if typed and self.data is None:
            raise ValueError(_("This is not a time of day. Write it as 09:00."))

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else self.data or ""
