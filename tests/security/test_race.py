"""Threads that list and filter at once get their own rows, and exactly those (T6)."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from app.models import School, Township
from tests.builder import CountyBuilder
from tests.conftest import Login
from tests.visitor import Visitor

THREADS = 16
SWITCH_EVERY = 1e-5
WORDS = ("东", "西", "南", "北")
PAGE = "/schoolview/list/"


@dataclass(frozen=True, slots=True)
class Reader:
    """A person, what he may read, and a browser with his session."""

    visitor: Visitor
    cookie: str
    names: frozenset[str]


@dataclass(slots=True)
class Tally:
    """Count what the threads have seen."""

    requests: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: str) -> None:
        with self.lock:
            self.requests += 1
            if fault:
                self.wrong.append(fault)


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """Let threads change places as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_EVERY)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def schools(county: CountyBuilder) -> list[School]:
    """Return three townships' schools; each name says where and which."""
    townships = [county.township(f"乡镇{letter}") for letter in "甲乙丙"]
    return [
        county.school(f"{township.name}{word}{number}小学", township)
        for township in townships
        for word in WORDS
        for number in range(2)
    ]


@pytest.fixture
def readers(app: Flask, county: CountyBuilder, schools: list[School], login: Login) -> list[Reader]:
    """Return one reader of each township, one of two schools, and one of the county."""
    made = []
    for township in {school.township_id: school for school in schools}.values():
        place = county.session.get(Township, township.township_id)
        own = [one for one in schools if one.township_id == township.township_id]
        made.append((login("township_leader", township=place), own))
    made.append(
        (login("school_leader", schools=(schools[0], schools[9])), [schools[0], schools[9]])
    )
    made.append((login("supervision_office"), schools))
    name = app.config["SESSION_COOKIE_NAME"]
    return [
        Reader(visitor, visitor.get_cookie(name).value, frozenset(one.name for one in own))
        for visitor, own in made
    ]


def race(app: Flask, readers: list[Reader], seconds: float) -> Tally:
    """Let all threads list, filtered and unfiltered, until the time is over."""
    tally = Tally()
    end = time.monotonic() + seconds

    def run(number: int) -> None:
        dice = random.Random(number)
        while time.monotonic() < end:
            tally.add(fault_of(app, dice.choice(readers), dice.choice(("", *WORDS))))

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(run, range(THREADS)))
    return tally


def fault_of(app: Flask, reader: Reader, word: str) -> str:
    """Ask for a list as a reader; return what is wrong with the answer, or nothing."""
    visitor = app.test_client()
    visitor.set_cookie(app.config["SESSION_COOKIE_NAME"], reader.cookie)
    query = {"psize_SchoolView": "100", **({"_flt_0_name": word} if word else {})}
    answer = visitor.get(PAGE, query_string=query)
    if answer.status_code != 200:
        return f"{answer.status_code} {answer.location}"
    wanted = {name for name in reader.names if word in name}
    found = names_in(answer.get_data(as_text=True))
    if found == wanted:
        return ""
    return f"foreign {found - reader.names}, wrong {found ^ wanted} for {word!r}"


def names_in(page: str) -> set[str]:
    """Return the names of schools in the table of a page."""
    table = BeautifulSoup(page, "html.parser").select("main table tbody tr")
    return {cell for row in table for cell in row.stripped_strings if cell.endswith("小学")}


def test_threads_get_their_own_rows_only(
    app: Flask, readers: list[Reader], quick_switches: None
) -> None:
    tally = race(app, readers, seconds=4)

    assert tally.wrong == []
    assert tally.requests >= THREADS


@pytest.mark.long
def test_threads_get_their_own_rows_only_for_a_minute(
    app: Flask, readers: list[Reader], quick_switches: None
) -> None:
    tally = race(app, readers, seconds=60)

    assert tally.wrong == []
    assert tally.requests >= 10 * THREADS
