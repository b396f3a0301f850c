"""Show what was measured as tables, and keep it as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from app.cli.bench.goal import Goal
from app.cli.bench.load import LoadResult
from app.cli.bench.measure import PageResult
from app.cli.bench.rosters import RosterResult
from app.cli.bench.rules import RulesResult
from app.cli.bench.scale import ScaleResult
from app.cli.bench.start import StartResult

WIDTH = 160


@dataclass(slots=True)
class Report:
    """All that one run measured, and under what circumstances."""

    database: str
    pupils: int
    rounds: int
    cores: int
    python: str
    load_before: float
    counties: int = 1
    load_after: float = 0.0
    """Running processes of the whole machine, by its own average over a minute."""
    worker_rss_mib: float = 0.0
    """Resident memory of the product's worker after all pages."""
    floor_rss_mib: float = 0.0
    pages: list[PageResult] = field(default_factory=list)
    load: LoadResult | None = None
    starts: list[StartResult] = field(default_factory=list)
    roster: RosterResult | None = None
    rules: RulesResult | None = None
    scales: list[ScaleResult] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2)
        path.write_text(f"{text}\n", encoding="utf-8")


def show(report: Report) -> None:
    """Print the tables of a report."""
    console = Console(width=WIDTH)
    console.print(
        f"{report.database}, {_places(report)}{report.pupils} children, "
        f"medians of {report.rounds} rounds, "
        f"{report.cores} cores, load {report.load_before:.1f} before, {report.load_after:.1f} after"
    )
    if report.pages:
        console.print(_pages(report.pages))
        memory = f"{report.worker_rss_mib:.0f} MiB, floor {report.floor_rss_mib:.0f}"
        console.print(f"worker after all pages: {memory}")
    if report.load is not None:
        console.print(_load(report.load))
    if report.starts:
        console.print(_starts(report.starts))
    if report.roster is not None:
        console.print(_roster(report.roster))
    if report.rules is not None:
        console.print(_rules(report.rules))
    if report.scales:
        console.print(_scales(report.scales))
    if report.goals:
        console.print(_goals(report.goals))


def _places(report: Report) -> str:
    return f"{report.counties} counties of " if report.counties > 1 else ""


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _pages(pages: Sequence[PageResult]) -> Table:
    table = _table(
        "Pages: product / floor",
        *("page", "CPU ms", "×", "database ms", "wall ms", "×", "statements", "own", "KiB"),
        *("sent", "peak KiB", "rows", "writes"),
    )
    for page in pages:
        product, floor = page.product, page.floor
        table.add_row(
            page.page,
            f"{product.cpu_ms:.2f} / {floor.cpu_ms:.2f}",
            f"{page.cpu_ratio:.1f}",
            f"{product.database_ms:.2f} / {floor.database_ms:.2f}",
            f"{product.wall_ms:.2f} / {floor.wall_ms:.2f}",
            f"{page.wall_ratio:.1f}",
            f"{product.statements} / {floor.statements}",
            str(page.own_statements),
            f"{product.bytes / 1024:.1f} / {floor.bytes / 1024:.1f}",
            f"{product.sent_bytes / 1024:.1f}",
            f"{product.peak_kib:.0f} / {floor.peak_kib:.0f}",
            str(page.rows or ""),
            str(sum(page.written.values()) or ""),
        )
    return table


def _load(load: LoadResult) -> Table:
    table = _table(
        f"Throughput: {load.workers} workers, {load.connections} connections",
        *("", "requests/s", "CPU ms a request", "MiB a worker"),
    )
    table.add_row(
        "product",
        f"{load.product_per_s:.0f}",
        f"{load.product_cpu_ms:.2f}",
        f"{load.product_rss_mib:.0f}",
    )
    table.add_row(
        "floor", f"{load.floor_per_s:.0f}", f"{load.floor_cpu_ms:.2f}", f"{load.floor_rss_mib:.0f}"
    )
    table.add_row("share", f"{load.share:.2f}", "", "")
    return table


def _starts(starts: Sequence[StartResult]) -> Table:
    table = _table(
        "Starts: product / floor / stock Flask-AppBuilder with as many screens",
        *("more screens", "screens", "CPU s", "statements", "very first page ms", "first page ms"),
        *("warm ms", "statements", "MiB at rest"),
    )
    for one in starts:
        table.add_row(
            f"+{one.added_views}",
            str(one.views),
            f"{one.cpu_s:.2f} / {one.floor_cpu_s:.2f} / {one.stock_cpu_s:.2f}",
            f"{one.statements} / 0 / {one.stock_statements}",
            f"{one.very_first_page_ms:.0f}",
            f"{one.first_page_ms:.0f} / {one.floor_first_page_ms:.1f}",
            f"{one.warm_page_ms:.1f} / {one.floor_warm_page_ms:.2f}",
            str(one.page_statements),
            f"{one.rss_mib:.0f} / {one.floor_rss_mib:.0f} / {one.stock_rss_mib:.0f}",
        )
    return table


def _rules(rules: RulesResult) -> Table:
    title = f"All rules of a county's year: {rules.verdicts} verdicts"
    table = _table(title, "way", "work ms", "again ms", "statements", "peak MiB")
    for name, judged in (("product", rules.product), ("floor", rules.floor)):
        table.add_row(
            name,
            f"{judged.work_ms:.0f}",
            f"{judged.again_ms:.0f}",
            str(judged.statements),
            f"{judged.peak_mib:.0f}",
        )
    table.add_row("×", f"{rules.ratio:.2f}", f"{rules.again_ratio:.2f}", "", "")
    return table


def _roster(roster: RosterResult) -> Table:
    table = _table(
        f"Import of {roster.rows} rows, {roster.bad} of them bad; work is the CPU of worker and "
        "database",
        *("", "work s", "of it reading s", "MiB at most", "statements", "rows left"),
    )
    for name, taken in (("product", roster.product), ("dry", roster.dry), ("floor", roster.floor)):
        table.add_row(
            name,
            f"{taken.work_ms / 1000:.2f}",
            f"{taken.read_ms / 1000:.2f}",
            f"{taken.peak_mib:.0f}",
            str(taken.statements),
            str(sum(taken.left.values())),
        )
    return table


def _scales(scales: Sequence[ScaleResult]) -> Table:
    table = _table(
        "Lists of all counties / of one county; work is the CPU of worker and database",
        *("page", "reader", "work ms", "×", "of it database", "floor's work ms", "×", "wall ms"),
        *("statements", "KiB", "rows"),
    )
    for one in scales:
        product, small = one.product, one.product_of_one
        table.add_row(
            one.page,
            one.reader,
            f"{product.work_ms:.2f} / {small.work_ms:.2f}",
            f"{one.growth:.2f}",
            f"{product.database_ms:.2f} / {small.database_ms:.2f}",
            f"{one.floor.work_ms:.2f} / {one.floor_of_one.work_ms:.2f}",
            f"{one.floor_growth:.2f}",
            f"{product.wall_ms:.1f} / {small.wall_ms:.1f}",
            f"{product.statements} / {one.floor.statements}",
            f"{product.bytes / 1024:.1f} / {small.bytes / 1024:.1f}",
            str(one.rows),
        )
    return table


def _goals(goals: Sequence[Goal]) -> Table:
    table = _table("Goals", "", "what", "measured", "limit", "")
    for goal in goals:
        table.add_row(
            goal.key,
            goal.text,
            f"{goal.measured:.2f}",
            f"{goal.limit:g}",
            "ok" if goal.is_met else "missed",
        )
    return table
