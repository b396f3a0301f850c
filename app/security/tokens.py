"""Sign the form token of a session once: Flask-WTF signs it anew for every page."""

from __future__ import annotations

from functools import lru_cache

from flask import current_app, g, session
from itsdangerous import URLSafeTimedSerializer

FIELD = "csrf_token"
SALT = "wtf-csrf-token"


def give() -> None:
    """Give the request its session's signed token, where Flask-WTF looks before it makes one.

    The time in the signature does not matter: a token holds as long as its session.
    """
    kept = session.get(FIELD)
    if isinstance(kept, str):
        g.csrf_token = _signed(str(current_app.secret_key), kept)


def take_back() -> None:
    """Forget the token of a session that ends within the request."""
    g.pop(FIELD, None)


@lru_cache(maxsize=4096)
def _signed(key: str, token: str) -> str:
    signed = URLSafeTimedSerializer(key, salt=SALT).dumps(token)
    return signed if isinstance(signed, str) else signed.decode()
