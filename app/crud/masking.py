"""Show personal numbers only in part."""

from __future__ import annotations

from typing import Any

from app.security.privacy import masked_number, masked_phone

ID_LENGTH = 15


def masked(value: Any) -> str:
    """Return an id number or a telephone number with its middle hidden."""
    text = "" if value is None else str(value)
    return masked_number(text) if len(text) >= ID_LENGTH else masked_phone(text)
