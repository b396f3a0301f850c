"""Names are found by any of their characters, by pinyin and initials, alike on both databases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, insert, inspect, select, text, update

from app import database, names
from app.extensions import db
from app.models import Child, Person
from app.pinyin import search_key
from tests.conftest import CountyBuilder, Login

MIGRATIONS = str(Path("app/migrations").resolve())
SURNAMES = "覃韦莫李曾单"
CHARACTERS = "小大明丽妹𠮷·"
NAMES = st.text(alphabet=f"{SURNAMES}{CHARACTERS}abİé'-\" ", max_size=6)
TYPED = st.one_of(
    NAMES,
    st.text(alphabet="aginoqxmzel", max_size=4),
    st.sampled_from(["%", "_", "*", "韦 小", "NEAR"]),
)
LARGE = 2000


def found(app: Flask, model: type, typed: str) -> set[int]:
    """Return the keys of the rows whose names hold what was typed."""
    with app.app_context():
        condition = names.holds(model, typed, db.engine.dialect.name)
        return set(db.session.scalars(select(model.id).where(condition)))


def write(app: Flask, model: type, rows: dict[int, str], place: dict[str, object]) -> None:
    """Let a table hold exactly these names, written past the ORM as imports do."""
    table = model.__table__
    with app.app_context(), database.writing():
        kept = set(db.session.scalars(select(table.c.id)))
        db.session.execute(table.delete().where(table.c.id.not_in(rows)))
        for key, name in rows.items():
            values = {"name": name, "search_key": search_key(name)}
            if key in kept:
                db.session.execute(update(table).where(table.c.id == key).values(values))
            else:
                db.session.execute(insert(table).values(id=key, **values, **place))
        db.session.commit()


def test_a_name_is_found_exactly_where_its_words_hold_what_was_typed(
    app: Flask, county: CountyBuilder
) -> None:
    place = {name: getattr(county.a_school, name) for name in ("county_id", "township_id")}
    place["school_id"] = county.a_school.id
    county.session.rollback()

    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(NAMES, max_size=6), st.lists(TYPED, min_size=1, max_size=6))
    def compare(known: list[str], typed: list[str]) -> None:
        rows = dict(enumerate(known, 1))
        write(app, Person, rows, place)
        for one in typed:
            looked_for = names.wanted(one)
            expected = {
                key
                for key, name in rows.items()
                if looked_for in search_key(name).partition("\n")[0]
            }
            assert found(app, Person, one) == expected, (one, known)

    compare()


@pytest.mark.parametrize(
    ("typed", "entries"),
    [
        ("小", ["小"]),
        ("小明", ["小明"]),
        ("qxm", ["qx", "xm"]),
        ("q", []),
        ("-", []),
        ("a·b", ["a·", "·b"]),
    ],
)
def test_what_is_looked_up_is_what_tells_most(typed: str, entries: list[str]) -> None:
    assert names._telling(names.pairs(typed)) == entries


def test_two_characters_are_one_look_up_in_the_index(app: Flask, county: CountyBuilder) -> None:
    fill(county)

    with app.app_context():
        for typed in ("小明", "垚", "qinxiao", "qxm"):
            statement = select(Child.id).where(names.holds(Child, typed, db.engine.dialect.name))
            plan = explain(statement)
            assert names.index_of("child") in plan, (typed, plan)
            assert not re.search(r"(SCAN|Seq Scan on) child\b", plan), (typed, plan)


def fill(county: CountyBuilder) -> None:
    """Add so many children that an index pays."""
    child = county.child("覃小明")
    table = Child.__table__
    row = {
        column.name: getattr(child, column.key)
        for column in table.columns
        if column.name not in {"id", "id_number_index"}
    }
    keys = [f"韦大力{number}" for number in range(LARGE)]
    rows = [{**row, "name": name, "search_key": search_key(name)} for name in keys]
    county.execute(insert(table).values(rows[: LARGE // 2]))
    county.execute(insert(table).values(rows[LARGE // 2 :]))


def explain(statement: Select[tuple[int]]) -> str:
    """Return the plan of a statement, statistics up to date."""
    engine = db.engine
    compiled = str(statement.compile(engine, compile_kwargs={"literal_binds": True}))
    asked = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        if engine.dialect.name == "postgresql":  # for it, so few rows are quickly read
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        rows = connection.execute(text(f"{asked} {compiled.replace('%%', '%')}"))
        return "\n".join(str(row[-1]) for row in rows)


def test_the_index_goes_and_comes_back_with_its_revision(
    app: Flask, county: CountyBuilder, login: Login
) -> None:
    child = county.child("覃小明")
    county.session.rollback()
    with app.app_context():
        downgrade(MIGRATIONS, "0005")
        tables = inspect(db.engine).get_table_names()
        with db.engine.connect() as connection:
            keys = set(connection.scalars(select(Child.__table__.c.search_key)))
        upgrade(MIGRATIONS)

    assert keys == {search_key("覃小明").partition("\n")[0]}
    assert not [name for name in tables if name.startswith(names.index_of("child"))]
    assert found(app, Child, "小明") == {child.id}
    office = login("supervision_office")
    rows = office.get("/lookup/child?q=小明").get_json()["results"]
    assert [row["id"] for row in rows] == [child.id]
