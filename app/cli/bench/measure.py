"""Measure pages of the product and of the floor in turn, and compare the medians."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import click
from sqlalchemy import create_engine, inspect, text

from app.base import Model
from app.cli.bench.page import Page, keys_of
from app.cli.bench.remote import CSRF, RENEWING, Remote
from app.cli.bench.site import Known, Site
from app.cli.bench.turns import Figures, Side, take_turns
from app.cli.bench.wire import Ask

REDIRECT = 302


@dataclass(frozen=True, slots=True)
class PageResult:
    """A page of the product beside its floor."""

    page: str
    goal: str | None
    limit: float | None
    product: Figures
    floor: Figures
    cpu_ratio: float
    wall_ratio: float
    own_statements: int
    """Statements of the product beyond what every request runs."""
    rows: int
    """Rows shown, the same on both."""
    written: dict[str, int]
    """Rows that one request leaves in each table, the same on both."""


class Pair:
    """A worker of the product, signed in, and one of the floor, on the same county."""

    def __init__(self, product: Remote, floor: Remote) -> None:
        self.product, self.floor = product, floor
        form = product.get("/visitview/add")
        found = CSRF.search(form.body)
        self.token = found[1] if found else ""
        product.cookie = form.cookie or product.cookie  # the session that holds the token
        product.renew()
        ask = Ask(RENEWING, cookie=product.cookie)
        self.every_request = len(product.depth(ask, ask).statements)

    def asks(self, page: Page, number: int, *, of_product: bool) -> list[Ask]:
        """Return so many requests for a page."""
        if of_product:
            self.product.renew()
        cookie = (self.product if of_product else self.floor).cookie
        return [
            page.ask(of_product=of_product, cookie=cookie, token=self.token) for _ in range(number)
        ]

    def sides(self, page: Page) -> tuple[Side, Side]:
        """Return both sides of a page, the product first."""
        status = REDIRECT if page.body else 200
        return (
            Side(self.product, lambda number: self.asks(page, number, of_product=True), status),
            Side(self.floor, lambda number: self.asks(page, number, of_product=False), status),
        )


def measure(pair: Pair, page: Page, site: Site, rounds: int) -> PageResult:
    """Return a page's figures on both sides, after seeing that both do the same work."""
    shown = _same_rows(pair, page)
    written = _same_writes(pair, page, site)
    product, floor = take_turns(pair.sides(page), rounds)
    return PageResult(
        page=page.key,
        goal=page.goal,
        limit=page.limit,
        product=product,
        floor=floor,
        cpu_ratio=product.cpu_ms / floor.cpu_ms,
        wall_ratio=product.wall_ms / floor.wall_ms,
        own_statements=product.statements - pair.every_request,
        rows=shown,
        written=written,
    )


def _same_rows(pair: Pair, page: Page) -> int:
    """Return how many rows a list shows; refuse to compare two that show different ones."""
    if not page.is_list:
        return 0
    product, floor = (
        keys_of(worker.get(path).body)
        for worker, path in ((pair.product, page.product), (pair.floor, page.floor))
    )
    if product != floor:
        raise click.ClickException(f"{page.key}: product and floor show different rows")
    return len(product)


def _same_writes(pair: Pair, page: Page, site: Site) -> dict[str, int]:
    """Return what one request writes; refuse to compare two that write different rows."""
    counted = _counter(site)
    left: list[dict[str, int]] = []
    for side in pair.sides(page):
        before = counted()
        side.run(1)
        after = counted()
        left.append(
            {name: rows - before[name] for name, rows in after.items() if rows != before[name]}
        )
    if left[0] != left[1]:
        raise click.ClickException(f"{page.key}: product writes {left[0]}, floor {left[1]}")
    return left[0]


def _counter(site: Site) -> Callable[[], dict[str, int]]:
    """Return a function that counts the rows of every table."""
    engine = create_engine(site.url)
    quoted = engine.dialect.identifier_preparer.quote
    # An index of names is a table on SQLite, which nobody can scan.
    names = sorted(set(inspect(engine).get_table_names()) & set(Model.metadata.tables))

    def counted() -> dict[str, int]:
        with engine.connect() as connection:
            found = {
                name: int(
                    connection.scalar(text(f"SELECT count(*) FROM {quoted(name)}")) or 0  # noqa: S608
                )
                for name in names
            }
        engine.dispose()
        return found

    return counted


def sweep(site: Site, known: Known) -> None:
    """Take away the visits that the benchmark made, so that the next one finds the same county."""
    engine = create_engine(site.url)
    with engine.begin() as connection:
        values = {"last": known.last_visit_id, "user": known.user_id}
        connection.execute(text("DELETE FROM visit WHERE id > :last"), values)
        connection.execute(text("DELETE FROM submit_token WHERE user_id = :user"), values)
    engine.dispose()
