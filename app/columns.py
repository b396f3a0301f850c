"""Column types of the product: instants in UTC and encrypted texts with a blind index."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from flask import current_app
from sqlalchemy import DateTime, Dialect, LargeBinary, String, TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Store aware instants in UTC on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive instants and convert the others to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Encrypted(TypeDecorator[str]):
    """Store a text as ciphertext; equal texts give different ciphertexts."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encrypt with the newest key."""
        return None if value is None else _cipher().encrypt(value.encode())

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Decrypt with whichever key fits."""
        return None if value is None else _cipher().decrypt(bytes(value)).decode()


class BlindIndex(String):
    """Hold the keyed digest of an encrypted text: equal texts can be found, none can be read."""

    def __init__(self) -> None:
        super().__init__(64)


def blind_index(text: str | None) -> str | None:
    """Return the keyed digest under which an encrypted text is searched."""
    return blind_indexes([text])[0]


def blind_indexes(texts: Iterable[str | None]) -> list[str | None]:
    """Return the keyed digests of many texts."""
    # The key is worked in once and copied: that is half of the work of a digest.
    keyed = hmac.new(current_app.config["BLIND_INDEX_KEY"].encode(), None, "sha256")

    def digest(text: str) -> str:
        one = keyed.copy()
        one.update(text.strip().upper().encode())
        return one.hexdigest()

    return [digest(text) if text else None for text in texts]


def _cipher() -> MultiFernet:
    """Return the key ring of the running application, newest key first."""
    cipher = current_app.extensions.get("cipher")
    if cipher is None:
        keys = [Fernet(key) for key in current_app.config["ENCRYPTION_KEYS"]]
        cipher = current_app.extensions["cipher"] = MultiFernet(keys)
    return cipher
