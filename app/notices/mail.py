"""Send e-mails over the county's SMTP server, where one is configured."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from flask import current_app

TIMEOUT = 20
"""Seconds after which a server that does not answer is given up."""


def is_configured() -> bool:
    """Tell whether there is a server to send e-mails over."""
    return bool(current_app.config["SMTP_HOST"])


@contextmanager
def server() -> Iterator[smtplib.SMTP]:
    """Connect to the server and sign in; raise OSError or smtplib.SMTPException where it fails."""
    config = current_app.config
    where = config["SMTP_HOST"], config["SMTP_PORT"]
    if config["SMTP_SECURITY"] == "tls":
        context = ssl.create_default_context()
        connection: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=TIMEOUT, context=context)
    else:
        connection = smtplib.SMTP(*where, timeout=TIMEOUT)
    with connection:
        if config["SMTP_SECURITY"] == "starttls":
            connection.starttls(context=ssl.create_default_context())
        if config["SMTP_USER"]:
            connection.login(config["SMTP_USER"], config["SMTP_PASSWORD"])
        yield connection


def letter(address: str, subject: str, lines: list[str]) -> EmailMessage:
    """Return an e-mail of plain text."""
    message = EmailMessage()
    message["From"] = current_app.config["MAIL_FROM"]
    message["To"] = address
    message["Subject"] = subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(lines) + "\n")
    return message


def fault(error: Exception) -> str:
    """Say in one line why an e-mail was not sent; addresses and texts are left out."""
    name = type(error).__name__
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{name} {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _text in error.recipients.values()})
        return f"{name} {', '.join(map(str, codes))}"
    return name
