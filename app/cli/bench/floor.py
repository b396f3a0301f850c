"""Serve the same pages from nothing: a bare Flask, SQL by hand and the plainest templates.

This is the floor that the product is measured against. It reads the signed session cookie and the
user's row, since nobody may see a child unasked, and then only what the page shows. It has no
permissions, no scope but the county (key 0 stands for all), no menu, search form, buttons,
translation or CSRF token, and keeps one connection a thread open. Lists show the rows that the
product shows, with a capped count, and use the same indexes; writes leave the rows that the product
leaves, those of the audit trail included.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import psycopg
from cryptography.fernet import Fernet
from flask import Flask, abort, redirect, render_template, request, session
from jinja2 import DictLoader
from werkzeug.wrappers import Response

PAGE, COUNTED, RELATED = 25, 10_001, 10
NAMED = re.compile(r":(\w+)")
PRAGMAS = (
    "foreign_keys=ON",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=15000",
    "cache_size=-64000",
    "mmap_size=268435456",
)

CHILDREN = """
    SELECT child.id, child.name, child.sex, child.born_on, township.name, school.name,
           school_class.name, child_status.name
    FROM child
    LEFT JOIN township ON township.id = child.township_id
    LEFT JOIN school ON school.id = child.school_id
    LEFT JOIN school_class ON school_class.id = child.class_id
    LEFT JOIN child_status ON child_status.id = child.status_id"""
VISITS = """
    SELECT visit.id, visit.visited_on, child.name, school.name, visit.kind, method.name,
           reason.name, outcome.name, visit.next_on
    FROM visit
    LEFT JOIN child ON child.id = visit.child_id
    LEFT JOIN school ON school.id = visit.school_id
    LEFT JOIN code AS method ON method.id = visit.method_id
    LEFT JOIN code AS reason ON reason.id = visit.reason_id
    LEFT JOIN code AS outcome ON outcome.id = visit.outcome_id"""
INSPECTIONS = """
    SELECT inspection.id, inspection.occurred_on, inspection.type_key, township.name, school.name,
           inspection.state, inspection.confirmed_at
    FROM inspection
    LEFT JOIN township ON township.id = inspection.township_id
    LEFT JOIN school ON school.id = inspection.school_id"""
LISTS = {
    "child": (CHILDREN, "child.id", "child.id > :after"),
    "visit": (
        VISITS,
        "visit.visited_on DESC, visit.id DESC",
        """(visit.visited_on, visit.id)
           < ((SELECT visited_on FROM visit WHERE id = :after), :after)""",
    ),
    "inspection": (
        INSPECTIONS,
        "inspection.occurred_on DESC, inspection.id DESC",
        """(inspection.occurred_on, inspection.id)
           < ((SELECT occurred_on FROM inspection WHERE id = :after), :after)""",
    ),
}
"""What a list shows, its order, and the rows that follow one."""
NAMES = {
    "postgresql": """string_to_array(child.search_key, '\n') @> ARRAY[:name]
                     AND child.search_key LIKE '%' || :name || '%'""",
    "sqlite": """child.id IN (
        SELECT rowid FROM ix_child_names WHERE ix_child_names MATCH '"' || :name || '"')""",
}
"""Two neighbouring characters of a name, by the index that holds such pairs."""
CHILD = """
    SELECT child.name, child.sex, child.born_on, child.id_kind, child.id_number,
           child.enrolment_number, child_status.name, township.name, school.name,
           school_class.name, child.is_boarding, child.household_place, child.residence_place,
           child.village, first.name, second.name
    FROM child
    LEFT JOIN child_status ON child_status.id = child.status_id
    LEFT JOIN township ON township.id = child.township_id
    LEFT JOIN school ON school.id = child.school_id
    LEFT JOIN school_class ON school_class.id = child.class_id
    LEFT JOIN person AS first ON first.id = child.school_responsible_id
    LEFT JOIN person AS second ON second.id = child.township_responsible_id
    WHERE child.id = :child"""
OF_CHILD = (
    """SELECT enrolment.id, school.name, school_class.name, valid_from, valid_to, is_registered
       FROM enrolment
       LEFT JOIN school ON school.id = enrolment.school_id
       LEFT JOIN school_class ON school_class.id = enrolment.class_id
       WHERE child_id = :child ORDER BY valid_from DESC, enrolment.id DESC LIMIT :rows""",
    """SELECT status_event.id, happened_on, child_status.name, school.name, basis
       FROM status_event
       LEFT JOIN child_status ON child_status.id = status_event.status_id
       LEFT JOIN school ON school.id = status_event.school_id
       WHERE child_id = :child ORDER BY happened_on DESC, status_event.id DESC LIMIT :rows""",
    """SELECT guardian.id, guardian.name, code.name, phone, is_primary
       FROM guardian LEFT JOIN code ON code.id = guardian.relation_id
       WHERE child_id = :child ORDER BY guardian.name, guardian.id LIMIT :rows""",
    """SELECT child_group.id, code.name, school.name, child_group.valid_from, child_group.valid_to
       FROM child_group
       LEFT JOIN code ON code.id = child_group.group_id
       LEFT JOIN school ON school.id = child_group.school_id
       WHERE child_id = :child
       ORDER BY child_group.valid_from DESC, child_group.id DESC LIMIT :rows""",
)
USER = "SELECT username, active FROM ab_user WHERE id = :user"
PLACE = "SELECT county_id, township_id, school_id FROM child WHERE id = :child"
ADD_CHANGE = """
    INSERT INTO change (at, user_id, address, action, table_name, row_id, after)
    VALUES (:at, :user, :address, :action, :name, :row, :after)"""
ADD_USED_FORM = """
    INSERT INTO submit_token (token, user_id, used_at, result_url)
    VALUES (:token, :user, :at, :url)"""
ADD_VISIT = """
    INSERT INTO visit (child_id, kind, visited_on, method_id, is_remote, met_child, met_guardian,
        reason_id, outcome_id, countermeasure, next_step, next_on, is_backfilled, county_id,
        township_id, school_id, created_at, created_by_id, changed_at, changed_by_id, row_version)
    VALUES (:child, :kind, :visited_on, :method, :is_remote, :met_child, :met_guardian,
        :reason, :outcome, :countermeasure, :next_step, :next_on, :is_backfilled, :county,
        :township, :school, :at, :user, :at, :user, 1)
    RETURNING id"""

LIST_PAGE = """<!doctype html>
<title>{{ table }}</title>
<p>{{ count }}</p>
<table>
{% for row in rows %}<tr>
<td><a href="{{ path }}/show/{{ row[0] }}">{{ row[1] }}</a></td>
{% for value in row[2:] %}<td>{{ value if value is not none else '' }}</td>
{% endfor %}</tr>
{% endfor %}</table>
<p><a href="?page={{ page - 1 }}">&lt;</a> <a href="?page={{ page + 1 }}">&gt;</a></p>
"""
SHOW_PAGE = """<!doctype html>
<title>{{ child[0] }}</title>
<table>{% for value in child %}
<tr><td>{{ value if value is not none else '' }}</td></tr>{% endfor %}</table>
{% for rows in related %}<table>{% for row in rows %}
<tr>{% for value in row[1:] %}<td>{{ value if value is not none else '' }}</td>{% endfor %}</tr>
{% endfor %}</table>{% endfor %}
"""
FORM_PAGE = """<!doctype html>
<title>visit</title>
<form method="post" enctype="multipart/form-data">
<input type="hidden" name="submit_token">
{% for name in lookups %}<label>{{ name }} <select name="{{ name }}"></select></label>
{% endfor %}
<label>kind <select name="kind">{% for kind in kinds %}<option>{{ kind }}</option>{% endfor %}
</select></label>
{% for name in days %}<label>{{ name }} <input type="date" name="{{ name }}"></label>
{% endfor %}
{% for name in marks %}<label><input type="checkbox" name="{{ name }}"> {{ name }}</label>
{% endfor %}
{% for name in texts %}<label>{{ name }} <textarea name="{{ name }}"></textarea></label>
{% endfor %}
<label>files <input type="file" name="evidence_set_id"></label>
<button>save</button>
</form>
"""
MARKS = ("is_remote", "met_child", "met_guardian")
LOOKUPS = ("method", "reason", "outcome")


class Database:
    """Hold one connection a thread and count the statements."""

    def __init__(self, kind: str, address: str) -> None:
        self.kind = kind
        self.address = address
        self.statements = 0
        self._held = threading.local()

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        self.statements += 1
        if self.kind == "postgresql":
            statement = in_psycopg_words(statement)
        cursor = self.connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written in the block, or nothing."""
        if self.kind == "postgresql":
            with self.connection.transaction():
                yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @property
    def connection(self) -> Any:
        """Return this thread's connection."""
        if not hasattr(self._held, "connection"):
            self._held.connection = self._open()
        return self._held.connection

    def close(self) -> None:
        """End this thread's connection."""
        self.connection.close()

    def _open(self) -> Any:
        if self.kind == "postgresql":
            return psycopg.connect(self.address, autocommit=True)
        connection = sqlite3.connect(self.address, isolation_level=None)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection


@lru_cache(maxsize=100)
def in_psycopg_words(statement: str) -> str:
    """Return a statement with its named values as psycopg writes them."""
    return NAMED.sub(r"%(\1)s", statement.replace("%", "%%"))


class Floor:
    """The pages over one county, which write in the name of one user."""

    def __init__(self, database: Database, key: str, county: int, user: int) -> None:
        self.database = database
        self.cipher = Fernet(key)
        self.county = county
        self.user = user

    def enter(self) -> str:
        """Sign in."""
        session["user"] = self.user
        return "entered"

    def know_user(self) -> None:
        """Let nobody in but an active user."""
        if request.path == "/enter":
            return
        found = self.database.rows(USER, user=session.get("user"))
        if not found or not found[0][1]:
            abort(401)

    def list(self, table: str) -> str:
        """Show one page of rows and their number."""
        select, order, following = LISTS[table]
        conditions, values = self.conditions(table)
        page, after = request.args.get("page", 0, int), request.args.get("after", 0, int)
        part = _where([*conditions, *([following] if after else [])])
        rows = self.database.rows(
            f"{select}{part} ORDER BY {order} LIMIT {PAGE} OFFSET :skip",
            **values,
            after=after,
            skip=0 if after else page * PAGE,
        )
        some = f"SELECT 1 FROM {table}{_where(conditions)} LIMIT {COUNTED}"  # noqa: S608  # our own
        count = self.database.rows(f"SELECT count(*) FROM ({some}) AS found", **values)[0][0]  # noqa: S608
        return render_template(
            "list.html", table=table, path=f"/{table}", rows=rows, count=count, page=page
        )

    def conditions(self, table: str) -> tuple[Sequence[str], dict[str, Any]]:
        """Return what narrows a list, and to which values."""
        known = {"school": "child.school_id = :school", "name": NAMES[self.database.kind]}
        values = {name: request.args[name] for name in known if name in request.args}
        conditions = [known[name] for name in values]
        if self.county:
            conditions.append(f"{table}.county_id = :county")
        return conditions, {**values, "county": self.county}

    def child(self, key: int) -> str:
        """Show a child with all that belongs to it, and keep that it was read."""
        child = [*self.database.rows(CHILD, child=key)[0]]
        for number in (4, 5):
            child[number] = self.masked(child[number])
        related = [self.database.rows(one, child=key, rows=RELATED) for one in OF_CHILD]
        related[2] = [(*row[:3], self.masked(row[3]), row[4]) for row in related[2]]
        self.keep_change("read", "child", key, self.now(), None)
        return render_template("show.html", child=child, related=related)

    def form(self) -> str:
        """Show an empty form."""
        return render_template(
            "form.html",
            lookups=("child", *LOOKUPS),
            kinds=("home", "persuasion"),
            days=("visited_on", "next_on"),
            marks=MARKS,
            texts=("countermeasure", "next_step"),
        )

    def add(self) -> Response:
        """Store a visit where its child is, with its entry in the trail and the form's token."""
        form, at = request.form, self.now()
        kept = {
            "child": int(form["child"]),
            "kind": form["kind"],
            "visited_on": form["visited_on"],
            "next_on": form["next_on"] or None,
            "countermeasure": form["countermeasure"] or None,
            "next_step": form["next_step"] or None,
            "is_backfilled": False,
            **{name: name in form for name in MARKS},
            **{name: form[name] or None for name in LOOKUPS},
        }
        with self.database.transaction():
            place = self.database.rows(PLACE, child=kept["child"])[0]
            scope = dict(zip(("county", "township", "school"), place, strict=True))
            visit = self.database.rows(ADD_VISIT, **kept, **scope, at=at, user=self.user)[0][0]
            after = json.dumps({**kept, **scope}, ensure_ascii=False)
            self.keep_change("insert", "visit", visit, at, after)
            url, token = f"/visit/show/{visit}", form["submit_token"]
            self.database.rows(ADD_USED_FORM, token=token, user=self.user, at=at, url=url)
        return redirect(url)

    def keep_change(self, action: str, table: str, key: int, at: Any, after: str | None) -> None:
        """Write an entry of the audit trail."""
        who = {"user": self.user, "address": request.remote_addr or "", "action": action}
        self.database.rows(ADD_CHANGE, **who, at=at, name=table, row=key, after=after)

    def masked(self, sealed: bytes | None) -> str:
        """Return the ends of an encrypted number."""
        number = self.cipher.decrypt(bytes(sealed)).decode() if sealed else ""
        return f"{number[:3]}****{number[-4:]}"

    def now(self) -> Any:
        """Return this instant as the database keeps it."""
        at = datetime.now(UTC)
        return at if self.database.kind == "postgresql" else at.replace(tzinfo=None).isoformat(" ")


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def create_floor(kind: str, address: str, key: str, county: int, user: int) -> Flask:
    """Return the application."""
    app = Flask("floor")
    app.secret_key = key
    pages = {"list.html": LIST_PAGE, "show.html": SHOW_PAGE, "form.html": FORM_PAGE}
    app.jinja_loader = DictLoader(pages)
    database = app.extensions["floor"] = Database(kind, address)
    floor = Floor(database, key, county, user)
    app.before_request(floor.know_user)
    app.get("/enter")(floor.enter)
    app.get("/list/<table>")(floor.list)
    app.get("/child/show/<int:key>")(floor.child)
    app.get("/visit/add")(floor.form)
    app.post("/visit/add")(floor.add)
    return app
