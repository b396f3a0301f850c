"""Answer what a plugin may ask about the other plugins: which inspection types there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.base import registry


def inspection_types() -> Sequence[Any]:
    """Return the inspection types that serve, each with `key`, `title` and `counts`; ask late.

    Call it inside a select or a columns function: while plugins are imported, none serves yet.
    """
    return registry.inspection_types()
