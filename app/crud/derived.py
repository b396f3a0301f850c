"""Hold what follows from a record and is shown beneath it: an answer and its reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Derived:
    """Something that nobody types: what is asked, the answer, why, and where to go on."""

    title: str
    answer: str
    tone: str = ""
    """``success``, ``warning``, ``danger`` or ``info``: the colour of the answer."""
    reasons: Sequence[str] = ()
    links: Sequence[tuple[str, str]] = ()
    """Texts and addresses of what can be done about it."""
