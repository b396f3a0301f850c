"""Tidying removes what is used up, keeps what is in use, and chains the trail."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.cli.tidy import tidy
from app.models import Change, LoginAddress, SubmitToken
from app.security import chain
from tests.builder import CountyBuilder


def test_tidying_keeps_what_is_in_use(app: Flask, county: CountyBuilder) -> None:
    (app.config["INSTANCE_DIR"] / chain.HEADS).unlink(missing_ok=True)
    now = clock.now()
    county.township()
    for name, age in (("old", 8), ("new", 6)):
        county.add(SubmitToken(token=name, used_at=now - timedelta(days=age)))
    for address, hours in (("192.0.2.1", 25), ("192.0.2.2", 1)):
        county.add(LoginAddress(address=address, started_at=now - timedelta(hours=hours), tries=3))
    entries = county.scalar(select(func.count(Change.id)))

    first, second = (app.test_cli_runner().invoke(tidy) for _run in range(2))

    assert first.exit_code == 0, first.output
    assert "removed: 1 form tokens, 1 counts of logins" in first.output
    assert f"chained: {entries} entries" in first.output
    assert "removed: 0 form tokens, 0 counts of logins" in second.output
    assert "chained: 0 entries" in second.output
    assert county.all(select(SubmitToken.token)) == ["new"]
    assert county.all(select(LoginAddress.address)) == ["192.0.2.2"]
    assert county.scalar(select(func.count(Change.id))) == entries
    with app.app_context():
        assert list(chain.faults()) == []
