"""Part 13: personal numbers are masked, checked, and kept out of the logs."""

from __future__ import annotations

import logging

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.security import logs, privacy


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("450331201203040019", "450331********0019"),
        ("1234567890", "**********"),
        ("", ""),
        (None, ""),
    ],
)
def test_id_numbers_are_masked(number: str | None, shown: str) -> None:
    assert privacy.masked_number(number) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [("13812340019", "138****0019"), ("7212345", "*****45"), ("7", "*"), (None, "")],
)
def test_phones_are_masked(phone: str | None, shown: str) -> None:
    assert privacy.masked_phone(phone) == shown


@pytest.mark.parametrize(
    ("number", "level"),
    [
        ("11010519491231002X", None),
        ("１１０１０５１９４９１２３１００２ｘ", None),
        ("110105194912310021", "error"),
        ("110105194913310021", "error"),
        ("1101051949123100", "error"),
        ("11010519491231A02X", "error"),
        ("000000201203040012", None),
        ("000000201203040013", "error"),
        ("999999201203040010", "warning"),
    ],
)
def test_id_numbers_are_checked(app: Flask, number: str, level: str | None) -> None:
    with app.test_request_context():
        fault = privacy.number_fault(number)

    assert (fault.level if fault else None) == level


def test_logs_hold_no_values(caplog: pytest.LogCaptureFixture) -> None:
    logs.install()
    error = IntegrityError("INSERT", {}, Exception("DETAIL: Key (id)=(450331201203040019)"))

    with caplog.at_level(logging.INFO):
        try:
            raise error
        except IntegrityError:
            logging.getLogger("x").exception("Add record error: %s", error)
        logging.getLogger("x").info("child 450331201203040019 [parameters: ('李小四',)]")

    assert "450331201203040019" not in caplog.text
    assert "李小四" not in caplog.text
    assert "IntegrityError" in caplog.text
