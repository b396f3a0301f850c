"""Answer every error with a page that says what to do, never what went wrong inside."""

from __future__ import annotations

import logging
import secrets
import sqlite3

from flask import Flask, Response, has_request_context, jsonify, make_response, render_template
from flask import request as flask_request
from flask_babel import gettext as _
from jinja2 import TemplateError
from markupsafe import escape
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as AnyResponse

from app.base import Refused, registry
from app.extensions import db

log = logging.getLogger(__name__)
INCIDENT = 500


def init_app(app: Flask) -> None:
    """Register the pages for refused, failed and impossible requests."""
    app.register_error_handler(HTTPException, show)
    app.register_error_handler(InternalServerError, fail)
    app.register_error_handler(OperationalError, lose_database)
    app.register_error_handler(Refused, refuse)


def texts(code: int) -> tuple[str, str]:
    """Return the title and the text for a status code."""
    known = {
        400: (
            _("The request could not be understood"),
            _("The page may be out of date. Go back, reload it and try again."),
        ),
        401: (_("Please sign in"), _("Your session has ended. Sign in and try again.")),
        403: (
            _("You may not open this page"),
            _("Your appointment does not include it. Perhaps another of yours does."),
        ),
        404: (
            _("This page does not exist"),
            _("The record does not exist or lies outside your area of responsibility."),
        ),
        405: (_("Method not allowed"), _("Open the page from the menu and try again.")),
        409: (_("This was refused"), _("The record was changed or does not allow this step.")),
        413: (
            _("The upload is too large"),
            _("Choose smaller files, or upload them one after another."),
        ),
        429: (_("Too many attempts"), _("Wait a minute, then try again.")),
        503: (
            _("The service is not available for the moment"),
            _("Nothing was lost. Try again in a minute."),
        ),
    }
    return known.get(
        code,
        (
            _("Something went wrong"),
            _("The error was recorded. Nothing was changed by this request."),
        ),
    )


def show(error: HTTPException) -> AnyResponse:
    """Answer an HTTP error; redirects and prepared answers pass unchanged."""
    code = error.code or INCIDENT
    if error.response is not None or code < 400:
        return error.get_response()
    response = page(code)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response


def fail(error: InternalServerError) -> Response:
    """Answer what nobody foresaw with a number that leads to the entry in the log."""
    cause = getattr(error, "original_exception", None) or error
    return page(INCIDENT, incident(cause))


def lose_database(error: OperationalError) -> Response:
    """Answer while the database is away, locked or full; SQLite calls a bad statement so too."""
    return page(503 if is_outage(error) else INCIDENT, incident(error))


def is_outage(error: BaseException) -> bool:
    """Tell whether the database, not the statement, is at fault."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return isinstance(error, OperationalError) and code != sqlite3.SQLITE_ERROR


def refuse(refusal: Refused) -> Response:
    """Answer a refusal that no form caught, with its own words."""
    _roll_back()
    return page(409, text=refusal.message)


def incident(error: BaseException) -> str:
    """Log an error without the values that its message may hold; return its number."""
    _roll_back()
    number = secrets.token_hex(4).upper()
    where = flask_request.endpoint if has_request_context() else ""
    log.error("incident %s at %s", number, where, exc_info=error)
    if where and not is_outage(error):
        registry.page_failed(error)
    return number


def _roll_back() -> None:
    try:
        db.session.rollback()
    except (SQLAlchemyError, DBAPIError):
        db.session.remove()


def page(code: int, number: str = "", text: str = "") -> Response:
    """Return the page of a status code; JSON for programs."""
    title, usual = texts(code)
    if flask_request.path.startswith("/api/"):
        body = {"message": text or usual, **({"incident": number} if number else {})}
        return make_response(jsonify(body), code)
    values = {"code": code, "title": title, "text": text or usual, "incident": number}
    try:
        rendered = render_template("error.html", back_url=None, **values)
    except (TemplateError, SQLAlchemyError, RuntimeError, KeyError):
        rendered = _plain(code, title, text or usual, number)
    return make_response(rendered, code)


def _plain(code: int, title: str, text: str, number: str) -> str:
    parts = "".join(f"<p>{escape(part)}</p>" for part in (text, number) if part)
    return (
        f'<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>{code}</title>'
        f"<h1>{escape(title)}</h1>{parts}</html>"
    )
