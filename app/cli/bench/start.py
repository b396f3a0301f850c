"""Measure starts: seconds, statements, the first page and memory, with more and more screens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from app.cli import scaffold
from app.cli.bench.remote import Remote
from app.cli.bench.site import EVERYWHERE, Known, Site, make_room, prepare, site_at
from app.cli.bench.wire import Ask, Spec

PUPILS = 200
PAGE = "/childview/list/"
WARM = 20


@dataclass(frozen=True, slots=True)
class StartResult:
    """What a start takes with some screens more than the product brings."""

    added_views: int
    views: int
    """All screens, those of the product included."""
    cpu_s: float
    wall_s: float
    statements: int
    very_first_page_ms: float
    """The first page of the first start after a deployment, before any cache is on disk."""
    first_page_ms: float
    warm_page_ms: float
    page_statements: int
    rss_mib: float
    floor_cpu_s: float
    floor_first_page_ms: float
    floor_warm_page_ms: float
    floor_rss_mib: float
    stock_views: int
    stock_cpu_s: float
    stock_statements: int
    stock_rss_mib: float


@dataclass(slots=True)
class _Turn:
    """What one start took."""

    cpu: float
    wall: float
    statements: int
    first: float
    warm: float
    rss: float
    views: int


def measure_starts(
    folder: Path, database: str | None, views: Sequence[int], rounds: int
) -> Iterator[StartResult]:
    """Yield a result for each number of screens; the starts of all numbers alternate."""
    sites = {number: _site(folder, database, number) for number in views}
    known = {number: prepare(site) for number, site in sites.items()}
    products: dict[int, list[_Turn]] = {number: [] for number in views}
    floors: dict[int, list[_Turn]] = {number: [] for number in views}
    stocks: dict[int, list[_Turn]] = {number: [] for number in views}
    cookies = {number: _cookie(sites[number], known[number]) for number in views}
    for _ in range(rounds + 1):  # the first fills the caches on disk and makes the stock's tables
        for number, site in sites.items():
            spec = Spec("product", site.url, site.folder, plugins=site.plugins, counts_start=True)
            products[number].append(_turn(spec, PAGE, cookies[number]))
            floors[number].append(_turn(_floor(site, known[number]), "/list/child", ""))
            stock = site_at(folder, database, f"stock_{number}", 0)
            spec = Spec("stock", stock.url, "", views=products[number][0].views, counts_start=True)
            make_room(stock)
            stocks[number].append(_turn(spec, "", ""))
    for number in views:
        statements = _page_statements(sites[number], cookies[number])
        yield _result(number, products[number], floors[number], stocks[number], statements)


def _result(
    number: int, product: list[_Turn], floor: list[_Turn], stock: list[_Turn], statements: int
) -> StartResult:
    very_first, *own = product
    return StartResult(
        added_views=number,
        views=very_first.views,
        cpu_s=median(turn.cpu for turn in own),
        wall_s=median(turn.wall for turn in own),
        statements=max(turn.statements for turn in own),
        very_first_page_ms=very_first.first,
        first_page_ms=median(turn.first for turn in own),
        warm_page_ms=median(turn.warm for turn in own),
        page_statements=statements,
        rss_mib=median(turn.rss for turn in own),
        floor_cpu_s=median(turn.cpu for turn in floor),
        floor_first_page_ms=median(turn.first for turn in floor),
        floor_warm_page_ms=median(turn.warm for turn in floor),
        floor_rss_mib=median(turn.rss for turn in floor),
        stock_views=stock[-1].views,
        stock_cpu_s=median(turn.cpu for turn in stock[1:]),
        stock_statements=stock[-1].statements,
        stock_rss_mib=median(turn.rss for turn in stock[1:]),
    )


def _turn(spec: Spec, path: str, cookie: str) -> _Turn:
    """Start a worker, ask for its first page and for more."""
    with Remote(spec) as worker:
        ready, first, warm = worker.ready, 0.0, 0.0
        if path:
            if spec.kind == "floor":
                cookie = worker.get("/enter").cookie
            ask = Ask(path, cookie=cookie)
            first = worker.batch([ask]).cpu * 1000
            worker.batch([ask] * 3)
            warm = worker.batch([ask] * WARM).cpu / WARM * 1000
        return _Turn(
            cpu=ready.cpu,
            wall=worker.start_wall,
            statements=ready.statements,
            first=first,
            warm=warm,
            rss=ready.rss_kib / 1024,
            views=ready.views,
        )


def _site(folder: Path, database: str | None, number: int) -> Site:
    """Return a small county whose product has so many plugins more, each with a screen."""
    site = site_at(folder, database, f"views_{number}", PUPILS)
    home = Path(site.folder) / f"plugins_{number}"
    shutil.rmtree(home, ignore_errors=True)
    for one in range(number):
        tests = Path(site.folder) / "tests_of_plugins" / str(number)
        shutil.rmtree(tests, ignore_errors=True)
        scaffold.write(home, tests, f"bench_{one:03}", "inspection", f"Bench {one:03}")
    return site_at(folder, database, f"views_{number}", PUPILS, plugins=str(home))


def _floor(site: Site, known: Known) -> Spec:
    return Spec("floor", site.url, site.folder, site.driver_address, known.county_id, known.user_id)


def _cookie(site: Site, known: Known) -> str:
    with Remote(Spec("product", site.url, site.folder, plugins=site.plugins)) as worker:
        worker.sign_in(EVERYWHERE, known.password)
        return worker.cookie


def _page_statements(site: Site, cookie: str) -> int:
    with Remote(Spec("product", site.url, site.folder, plugins=site.plugins)) as worker:
        ask = Ask(PAGE, cookie=cookie)
        worker.batch([ask] * 3)
        return len(worker.depth(ask, ask).statements)
