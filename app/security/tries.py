"""Limit the logins of one address; the count stands in the database, which all workers share."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from flask import current_app, request
from sqlalchemy import case, delete, literal, update
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from app import clock
from app.database import insert_into
from app.models import LoginAddress
from app.security.scope import table_of

HALF_OF_IPV6 = 64
_address = table_of(LoginAddress)


def take(session: Session) -> None:
    """Count a login before anything is compared; answer 429 once its address had too many.

    Counting first lets no two attempts at once slip through. One statement, so that it holds on
    both databases whatever the number of workers. Commits.
    """
    now = clock.now()
    window: timedelta = current_app.config["LOGIN_ADDRESS_WINDOW"]
    begun = literal(now, _address.c.started_at.type)
    is_over = _address.c.started_at <= now - window
    count = insert_into(session, _address).values(address=_here(), started_at=begun, tries=1)
    # On the connection: nobody has signed in yet, and the guard closes the session's own way.
    tries, started_at = (
        session.connection()
        .execute(
            count.on_conflict_do_update(
                index_elements=[_address.c.address],
                set_={
                    "tries": case((is_over, 1), else_=_address.c.tries + 1),
                    "started_at": case((is_over, begun), else_=_address.c.started_at),
                },
            ).returning(_address.c.tries, _address.c.started_at)
        )
        .one()
    )
    session.commit()
    if tries > current_app.config["LOGIN_TRIES_PER_ADDRESS"]:
        raise TooManyRequests(retry_after=ceil((started_at + window - now).total_seconds()))


def give_back(session: Session) -> None:
    """Forget a login that succeeded: a whole office may sign in at once; nothing is committed."""
    session.execute(
        update(_address)
        .where(_address.c.address == _here(), _address.c.tries > 0)
        .values(tries=_address.c.tries - 1)
    )


def forget(session: Session, before: datetime) -> int:
    """Remove the counts that began earlier; return how many. Nothing is committed."""
    gone = session.execute(
        delete(_address).where(_address.c.started_at < before).returning(_address.c.address)
    )
    return len(gone.all())


def _here() -> str:
    return network_of(request.remote_addr)


def network_of(address: str | None) -> str:
    """Return what counts as one address: of IPv6 the half that one line is given."""
    try:
        found = ip_address(address or "")
        if not isinstance(found, IPv6Address):
            return str(found)
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network(f"{found}/{HALF_OF_IPV6}", strict=False).network_address)
    except ValueError:
        return "unknown"
