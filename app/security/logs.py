"""Keep personal data out of the logs: no statement parameters, no values, no id numbers."""

from __future__ import annotations

import logging
import re
import traceback
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

_VALUES = (
    (re.compile(r"\[parameters: .*?\](?=\s|$)", re.DOTALL), "[parameters hidden]"),
    (re.compile(r"DETAIL:.*"), "DETAIL hidden"),
    (re.compile(r"(?<!\d)(\d{6})\d{8}(\d{3}[\dXx])(?!\d)"), r"\1********\2"),
)


def clean(text: str) -> str:
    """Return a text without statement parameters, database details and id numbers."""
    for pattern, instead in _VALUES:
        text = pattern.sub(instead, text)
    return text


def install() -> None:
    """Clean every record of this process as it is made, whichever library logs it."""
    make = logging.getLogRecordFactory()
    if getattr(make, "cleans", False):
        return

    def cleaned(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if isinstance(record.msg, str):
            record.msg = clean(record.msg)
        elif isinstance(record.msg, BaseException):
            record.msg = _described(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_argument(value) for value in record.args)
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = _traced(record.exc_info[1])
        return record

    cleaned.cleans = True  # type: ignore[attr-defined]  # marks that it is installed
    logging.setLogRecordFactory(cleaned)


def _argument(value: Any) -> Any:
    if isinstance(value, BaseException):
        return _described(value)
    return clean(value) if isinstance(value, str) else value


def _described(error: BaseException) -> str:
    if isinstance(error, SQLAlchemyError):
        return type(error).__name__
    return clean(f"{type(error).__name__}: {error}")


def _traced(error: BaseException) -> str:
    """Return the traceback; of a database error the frames without its message."""
    chain: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(chain) < 10:
        frames = "".join(traceback.format_tb(seen.__traceback__))
        chain.insert(0, f"{frames}{_described(seen) if _is_safe(seen) else type(seen).__name__}")
        seen = seen.__cause__ or seen.__context__
    return "\n\n".join(chain)


def _is_safe(error: BaseException) -> bool:
    return not type(error).__module__.startswith(("psycopg", "sqlite3", "sqlalchemy"))
