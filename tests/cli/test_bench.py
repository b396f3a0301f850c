"""The benchmark measures pages beside its floor and keeps what it measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import click
import pytest
from flask import Flask
from sqlalchemy import MetaData, inspect, select

from app.cli.bench import bulk
from app.cli.bench.goal import goals_of_roster, goals_of_scales
from app.cli.bench.roster import write_roster
from app.cli.bench.roster_worker import Taken, by_floor, by_product
from app.cli.bench.rosters import RosterResult
from app.cli.bench.scale import ScaleResult
from app.cli.bench.site import Site
from app.cli.bench.turns import Figures, Side, take_turns
from app.cli.bench.wire import Answer, Ask, Batch, Depth, Spec
from app.extensions import db
from app.models import Child, School, Visit
from tests import database
from tests.builder import CountyBuilder

ROOT = Path(__file__).parents[2]


def flask(instance: Path, *arguments: str) -> str:
    """Run a Flask command over an instance of its own; return what it printed."""
    kept = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env={**kept, "FLASK_APP": "app:create_app", "INSTANCE_DIR": str(instance)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.long
@pytest.mark.timeout(600)
def test_pages_and_throughput_are_measured_beside_their_floor(tmp_path: Path) -> None:
    kept = tmp_path / "bench.json"
    flask(tmp_path, "deploy")
    size = ("--pupils", "200", "--rounds", "2", "--seconds", "1")

    printed = flask(
        tmp_path, "bench", *size, "--part", "pages", "--part", "load", "--json", str(kept)
    )

    found = json.loads(kept.read_text(encoding="utf-8"))
    assert len(found["pages"]) == 11
    for page in found["pages"]:
        assert page["product"]["cpu_ms"] > 0
        assert page["floor"]["cpu_ms"] > 0
        assert page["own_statements"] <= 4 or not page["rows"]
    assert found["load"]["product_per_s"] > 0
    assert {"G1", "G2", "G5", "G8"} <= {goal["key"] for goal in found["goals"]}
    assert "Throughput" in printed


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_province_is_measured_beside_one_county(tmp_path: Path) -> None:
    kept = tmp_path / "bench.json"
    flask(tmp_path, "deploy")
    size = ("--counties", "2", "--pupils", "200", "--rounds", "1")

    printed = flask(
        *(tmp_path, "bench", "province", *size),
        *("--database", database.postgres_url(), "--json", str(kept)),
    )

    found = json.loads(kept.read_text(encoding="utf-8"))
    assert {one["reader"] for one in found["scales"]} == {"province", "county"}
    assert all(one["product"]["database_ms"] > 0 for one in found["scales"])
    assert {goal["key"] for goal in found["goals"]} == {"G3", "G4"}
    assert "2 counties of 200 children" in printed


@pytest.mark.parametrize("booted", ["postgres"], indirect=True)
def test_counties_are_copied_apart_and_whole(app: Flask, county: CountyBuilder) -> None:
    child = county.child("覃小明")
    place = county.scope_of(county.a_school)
    county.add(Visit(child_id=child.id, kind="home", visited_on=date(2026, 3, 2), **place))
    county.session.rollback()

    with app.app_context():
        before = shape()
        bulk.multiply(db.engine, 3)
        after = shape()
    county.child("韦大力")

    here = Child.__table__.join(School.__table__, Child.school_id == School.id)
    places = select(Child.county_id, School.county_id).select_from(here)
    counted = county.session.execute(places.where(Child.name == child.name)).all()
    assert after == before
    assert sorted(counted) == [(key, key) for key in sorted({row[0] for row in counted})]
    assert len(counted) == 3
    same = select(Visit.id).join(Child).where(Visit.county_id == Child.county_id)
    assert len(county.all(same)) == 3


def shape() -> tuple[set[str], set[str]]:
    """Return the indexes and foreign keys of the tables that are copied."""
    tables = MetaData()
    tables.reflect(db.engine, only=bulk.COPIED)
    indexes = {
        str(index["name"]) for name in bulk.COPIED for index in inspect(db.engine).get_indexes(name)
    }
    keys = {
        str(constraint.name)
        for name in bulk.COPIED
        for constraint in tables.tables[name].foreign_key_constraints
    }
    return indexes, keys


class Clockwork:
    """A worker whose requests take what they are told to."""

    spec = Spec("floor", "sqlite://", "")

    def __init__(self, name: str, seconds: float, calls: list[str], status: int = 200) -> None:
        self.name, self.seconds, self.calls, self.status = name, seconds, calls, status

    def batch(self, asks: list[Ask]) -> Batch:
        self.calls.append(self.name)
        took = self.seconds * len(asks)
        return Batch(took, 2 * took, [self.status] * len(asks))

    def depth(self, _ask: Ask, _more: Ask) -> Depth:
        return Depth(["SELECT"], 5.0)

    def answer(self, ask: Ask) -> Answer:
        return Answer(200, "", 10 if ask.packed else 100, "", "")


def side(worker: Clockwork) -> Side:
    return Side(worker, lambda number: [Ask("/")] * number)  # type: ignore[arg-type]  # as asked


def test_sides_take_turns_and_are_told_apart() -> None:
    calls: list[str] = []

    first, second = take_turns(
        [side(Clockwork("a", 0.002, calls)), side(Clockwork("b", 0.001, calls))], rounds=3
    )

    assert calls == [*"aabb", *"ba", *"ab", *"ba"]
    assert (first.cpu_ms, first.wall_ms) == pytest.approx((2, 4))
    assert (second.cpu_ms, second.wall_ms) == pytest.approx((1, 2))
    assert (first.statements, first.bytes, first.sent_bytes, first.peak_kib) == (1, 100, 10, 5)
    assert first.work_ms == first.cpu_ms


def test_a_side_that_fails_is_not_measured() -> None:
    broken = side(Clockwork("a", 0.001, [], status=500))

    with pytest.raises(click.ClickException, match="500 instead of 200"):
        take_turns([broken], rounds=1)


def scale(page: str, many: float, one: float, size: int = 100) -> ScaleResult:
    """Return a page that takes so many milliseconds in the province and in one county."""
    product, of_one = figures(many, size), figures(one, 100)
    return ScaleResult(page, "county", product, of_one, figures(1, 9), figures(1, 9), 25)


def figures(work: float, size: int) -> Figures:
    return Figures(work / 2, work / 2, work, 3, size, size, 1.0)


@pytest.mark.parametrize(
    ("many", "size", "deep", "searched", "met"),
    [
        (8, 109, 24, 40, [True] * 4),
        (8.1, 100, 24, 40, [False, True, True, True]),
        (8, 89, 24, 40, [True, False, True, True]),
        (8, 100, 24.1, 40, [True, True, False, True]),
        (8, 100, 24, 40.1, [True, True, True, False]),
    ],
)
def test_a_province_has_its_goals(
    many: float, size: int, deep: float, searched: float, met: list[bool]
) -> None:
    scales = [
        scale("children", many, 4, size),
        scale("children_deep", deep, 4),
        scale("children_searched", searched, 4),
    ]

    goals = list(goals_of_scales(scales))

    assert [goal.key for goal in goals] == ["G3", "G3", "G4", "G4"]
    assert [goal.is_met for goal in goals] == met


def test_the_floor_of_an_import_leaves_what_the_product_leaves(
    app: Flask, county: CountyBuilder, tmp_path: Path
) -> None:
    school_class = county.school_class()
    path = tmp_path / "roster.xlsx"
    bad = write_roster(path, 40, [(county.a_school.name, school_class.name)])
    url, folder = app.config["SQLALCHEMY_DATABASE_URI"], str(app.config["INSTANCE_DIR"])
    site = Site(url, folder, 0)
    spec = Spec("floor", url, folder, site.driver_address, county.here.id)
    county.session.rollback()

    floor = by_floor(spec, path)
    dry = by_product(app, spec, path, is_dry=True)
    product = by_product(app, spec, path, is_dry=False)

    assert bad == 20
    assert product.left == floor.left
    assert (product.left["child"], product.left["import_fault"]) == (20, 20)
    assert dry.left == {}
    assert county.all(select(Child.id)) == []


@pytest.mark.parametrize(
    ("work", "dry", "peak", "met"),
    [(20, 4, 399, [True] * 3), (20.1, 4.1, 401, [False, False, False])],
)
def test_an_import_has_its_goals(work: float, dry: float, peak: float, met: list[bool]) -> None:
    floor = Taken(2, 10, 100, 16, {})

    goals = goals_of_roster(
        RosterResult(100, 9, Taken(3, work, peak, 40, {}), Taken(3, dry, 100, 30, {}), floor)
    )

    assert [goal.is_met for goal in goals] == met
