"""Close the days of daily checks with the first request after their hour, if no timer did."""

from __future__ import annotations

import logging

from flask import Flask, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from app import clock, database
from app.base import Actor, actor
from app.extensions import db
from app.security.guard import unrestricted
from app.workflow.closing import close_due, next_closing

AGAIN_AT = "daily_closing_again_at"
log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Look before anything else of a request, whose own transaction must not have begun."""
    app.before_request(_close_in_time)


def _close_in_time() -> None:
    """Close what is due, at most once an hour of closing in each process.

    The clock asks for it, not the visitor: what a request says changes nothing here.
    """
    app = current_app
    if not app.config["CLOSES_DAYS"] or (request.endpoint or "static").endswith("static"):
        return
    again_at = app.extensions.get(AGAIN_AT)
    if again_at is not None and clock.now() < again_at:
        return
    token = actor.set(Actor())
    try:
        with database.writing(), unrestricted(), db.session.session_factory() as session:
            close_due(session)
            app.extensions[AGAIN_AT] = next_closing(session)
            session.commit()
    except SQLAlchemyError as error:
        name = type(error).__name__
        log.warning("daily checks were not closed (%s); the next request tries again", name)
    finally:
        actor.reset(token)
