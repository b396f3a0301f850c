"""Measure lists and searches of one county and of a whole province in turn, beside their floors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from urllib.parse import quote

import click
from sqlalchemy import create_engine, func, select

from app.cli.bench.page import SIZE, keys_of
from app.cli.bench.remote import Remote
from app.cli.bench.site import COUNTY_WIDE, EVERYWHERE, Known, Site
from app.cli.bench.turns import Figures, Side, take_turns
from app.cli.bench.wire import Ask, Spec
from app.models import Child, Visit

DEEP = 100_000
"""The page that is called deep, or the last full one where there are fewer."""
READERS = {"province": EVERYWHERE, "county": COUNTY_WIDE}
"""Who reads: one who sees all counties, and one who sees the first."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page by its key, as product and floor serve it."""

    key: str
    product: str
    floor: str


@dataclass(frozen=True, slots=True)
class ScaleResult:
    """A page for one reader: in one county and in all of them, product and floor."""

    page: str
    reader: str
    product: Figures
    product_of_one: Figures
    floor: Figures
    floor_of_one: Figures
    rows: int

    @property
    def growth(self) -> float:
        """Return how many times more work the page is where there are all counties."""
        return self.product.work_ms / self.product_of_one.work_ms

    @property
    def floor_growth(self) -> float:
        """Return how many times more work the floor's page is."""
        return self.floor.work_ms / self.floor_of_one.work_ms

    @property
    def size_growth(self) -> float:
        """Return how many times larger the page is."""
        return self.product.bytes / self.product_of_one.bytes


class Scale:
    """The workers on one database: a product and a floor for each reader."""

    def __init__(self, stack: ExitStack, site: Site, known: Known) -> None:
        self.site, self.known = site, known
        self.product = stack.enter_context(Remote(Spec("product", site.url, site.folder)))
        self.cookies: dict[str, str] = {}
        self.floors: dict[str, Remote] = {}
        for reader, name in READERS.items():
            self.product.cookie = ""
            self.product.sign_in(name, known.password)
            self.cookies[reader] = self.product.cookie
            county = known.county_id if reader == "county" else 0
            address = site.driver_address
            spec = Spec("floor", site.url, site.folder, address, county, known.user_id)
            floor = self.floors[reader] = stack.enter_context(Remote(spec))
            floor.cookie = floor.get("/enter").cookie

    def sides(self, reader: str, page: Wanted) -> tuple[Side, Side]:
        """Return product and floor for one reader."""
        floor = self.floors[reader]
        product = Ask(page.product, cookie=self.cookies[reader])
        plain = Ask(page.floor, cookie=floor.cookie)
        return (
            Side(self.product, lambda number: [product] * number),
            Side(floor, lambda number: [plain] * number),
        )

    def shown(self, reader: str, page: Wanted) -> int:
        """Return how many rows a page shows; refuse where product and floor show others."""
        asks = [side.asks(1)[0] for side in self.sides(reader, page)]
        workers = (self.product, self.floors[reader])
        product, floor = (
            keys_of(worker.answer(replace(ask, packed=False)).body)
            for worker, ask in zip(workers, asks, strict=True)
        )
        if product != floor or not product:
            raise click.ClickException(f"{page.key}, {reader}: product and floor differ")
        return len(product)

    def pages(self, reader: str) -> list[Wanted]:
        """Return the pages that a reader asks for."""
        county = None if reader == "province" else self.known.county_id
        children, term = "/childview/list/", quote(self.known.term)
        school = self.known.school_id
        return [
            Wanted("children", children, "/list/child"),
            Wanted(
                "children_filtered",
                f"{children}?_flt_0_school={school}",
                f"/list/child?school={school}",
            ),
            Wanted(
                "children_searched", f"{children}?_flt_0_name={term}", f"/list/child?name={term}"
            ),
            self._deep("children_deep", children, "child", Child, county),
            Wanted("visits", "/visitview/list/", "/list/visit"),
            self._deep("visits_deep", "/visitview/list/", "visit", Visit, county),
            Wanted("inspections", "/inspection/all/list/", "/list/inspection"),
        ]

    def _deep(
        self, key: str, path: str, table: str, model: type[Child | Visit], county: int | None
    ) -> Wanted:
        """Return a page far from the beginning, as the steps from page to page lead there."""
        page, after = self.place(model, county)
        name = {"child": "ChildView", "visit": "VisitView"}[table]
        return Wanted(
            key,
            f"{path}?page_{name}={page}&after_{name}={after}",
            f"/list/{table}?after={after}",
        )

    def place(self, model: type[Child | Visit], county: int | None) -> tuple[int, int]:
        """Return the number of the deep page and the key of the row before it."""
        table = model.__table__
        order = [table.c.id] if model is Child else [table.c.visited_on.desc(), table.c.id.desc()]
        here = [table.c.county_id == county] if county else []
        engine = create_engine(self.site.url)
        with engine.connect() as connection:
            rows = connection.scalar(select(func.count()).select_from(table).where(*here)) or 0
            page = max(1, min(DEEP, rows // SIZE - 1))
            before = select(table.c.id).where(*here).order_by(*order).offset(page * SIZE - 1)
            key = connection.scalar(before.limit(1))
        engine.dispose()
        return page, key or 0


def measure_scales(one: Scale, many: Scale, rounds: int) -> Iterator[ScaleResult]:
    """Yield a result for each page and reader; all workers take turns."""
    for reader in READERS:
        for small, large in zip(one.pages(reader), many.pages(reader), strict=True):
            yield _measured(one, many, reader, (small, large), rounds)


def _measured(
    one: Scale, many: Scale, reader: str, pages: Sequence[Wanted], rounds: int
) -> ScaleResult:
    small, large = pages
    one.shown(reader, small)
    rows = many.shown(reader, large)
    sides = (*many.sides(reader, large), *one.sides(reader, small))
    product, floor, product_of_one, floor_of_one = take_turns(sides, rounds)
    return ScaleResult(large.key, reader, product, product_of_one, floor, floor_of_one, rows)
