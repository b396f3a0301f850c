"""Compare what was measured with the goals, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.cli.bench.load import LoadResult
from app.cli.bench.measure import PageResult
from app.cli.bench.rosters import RosterResult
from app.cli.bench.rules import RulesResult
from app.cli.bench.scale import ScaleResult
from app.cli.bench.start import StartResult

OWN_STATEMENTS = 4
START_STATEMENTS, START_GROWTH, FIRST_PAGE = 10, 1.4, 4
RULES = 1.5
THROUGHPUT, MEMORY = 0.45, 1.15
IMPORT, DRY_IMPORT, IMPORT_MIB = 2, 2, 400
GROWTH, SIZE_CHANGE = 2, 0.1
OF_FIRST = {
    "children_deep": ("children", 3),
    "children_searched": ("children", 5),
    "visits_deep": ("visits", 3),
}
"""Pages of a province, and how many times a first page they may take."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, what was measured, and the most (or the least) that is allowed."""

    key: str
    text: str
    measured: float
    limit: float
    is_met: bool


def at_most(key: str, text: str, measured: float, limit: float) -> Goal:
    """Return a goal that is met at or below its limit."""
    return Goal(key, text, measured, limit, measured <= limit)


def at_least(key: str, text: str, measured: float, limit: float) -> Goal:
    """Return a goal that is met at or above its limit."""
    return Goal(key, text, measured, limit, measured >= limit)


def goals_of_page(page: PageResult) -> Iterator[Goal]:
    """Yield the goals of a page: its price beside the floor, its statements."""
    if page.goal is None or page.limit is None:
        return
    yield at_most(page.goal, f"{page.page}: CPU ÷ floor", page.cpu_ratio, page.limit)
    if page.rows:
        text = f"{page.page}: statements of its own"
        yield at_most("G1", text, page.own_statements, OWN_STATEMENTS)


def goals_of_starts(starts: Sequence[StartResult]) -> Iterator[Goal]:
    """Yield the goals that look at different numbers of screens together."""
    if not starts:
        return
    few, many = starts[0], starts[-1]
    different = len({start.page_statements for start in starts})
    yield at_most("G6", "different statement counts of one page", different, 1)
    added = f"{few.added_views} → {many.added_views} more screens"
    most = max(start.statements for start in starts)
    yield at_most("G7", "statements of a start", most, START_STATEMENTS)
    yield at_most("G7", f"start CPU, {added}", many.cpu_s / few.cpu_s, START_GROWTH)
    for start in starts:
        ratio = start.first_page_ms / start.warm_page_ms
        yield at_most("G7", f"first page ÷ warm, {start.views} screens", ratio, FIRST_PAGE)
    for start in starts:
        ratio = start.rss_mib / start.stock_rss_mib
        text = f"memory at rest ÷ stock at rest, {start.views} screens"
        yield at_most("G8", text, ratio, MEMORY)


def goals_of_load(
    load: LoadResult | None, starts: Sequence[StartResult], rss_mib: float
) -> Iterator[Goal]:
    """Yield the goals of throughput, and of a worker's memory after all pages."""
    if load is not None:
        text = f"throughput with {load.workers} workers ÷ floor"
        yield at_least("G8", text, load.share, THROUGHPUT)
    if starts and rss_mib:
        ratio = rss_mib / starts[0].stock_rss_mib
        yield at_most("G8", "memory after all pages ÷ stock at rest", ratio, MEMORY)


def goals_of_scales(scales: Sequence[ScaleResult]) -> Iterator[Goal]:
    """Yield the goals of a province: first pages beside one county's, others beside the first."""
    found = {(one.reader, one.page): one for one in scales}
    for one in scales:
        where = f"{one.page}, reader of a {one.reader}"
        if one.page in OF_FIRST:
            first, limit = OF_FIRST[one.page]
            ratio = one.product.work_ms / found[one.reader, first].product.work_ms
            yield at_most("G4", f"{where}: CPU ÷ first page", ratio, limit)
        else:
            yield at_most("G3", f"{where}: CPU ÷ one county", one.growth, GROWTH)
            change = abs(one.size_growth - 1)
            yield at_most("G3", f"{where}: change of its bytes", change, SIZE_CHANGE)


def goals_of_roster(roster: RosterResult | None) -> Iterator[Goal]:
    """Yield the goals of an import: its work, its memory, its dry run beside reading the cells."""
    if roster is None:
        return
    yield at_most("G12", f"import of {roster.rows} rows: work ÷ floor", roster.ratio, IMPORT)
    yield at_most("G12", "import: MiB of the process", roster.product.peak_mib, IMPORT_MIB)
    yield at_most("G12", "dry run: work ÷ reading the cells", roster.dry_ratio, DRY_IMPORT)


def goals_of_rules(rules: RulesResult | None) -> Iterator[Goal]:
    """Yield the goals of a county's year: all rules, first and again, beside plain inserts."""
    if rules is None:
        return
    text = f"{len(rules.product.found)} rules, {rules.verdicts} verdicts: work ÷ floor"
    yield at_most("G9", text, rules.ratio, RULES)
    yield at_most("G9", "all rules again, nothing changed: work ÷ floor", rules.again_ratio, RULES)
