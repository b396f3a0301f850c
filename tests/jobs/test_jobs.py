"""Jobs run once, for who started them, and outlive the process that runs them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import jobs
from app.base import Actor, Refused, actor
from app.extensions import db
from app.jobs import queue, run, work, worker
from app.models import Job
from tests.builder import CountyBuilder

DONE: list[tuple[int | None, str]] = []


@pytest.fixture(autouse=True)
def kinds(app: Flask) -> Iterator[None]:
    """Register the kinds of work that the tests ask for."""

    @jobs.handler("note")
    def note(one: jobs.Work) -> None:
        one.progress(40)
        DONE.append((one.subject_id, one.scope.kind))

    @jobs.handler("refuse")
    def refuse(_one: jobs.Work) -> None:
        raise Refused("好的理由")

    @jobs.handler("break")
    def broken(_one: jobs.Work) -> None:
        raise RuntimeError("韦小明 450331201101010013")

    DONE.clear()
    yield
    for kind in ("note", "refuse", "break"):
        work._handlers.pop(kind)


def submit(app: Flask, kind: str, who: Actor | None = None) -> int:
    with app.app_context():
        token = actor.set(who or Actor())
        try:
            return jobs.submit(db.session(), kind, 7)
        finally:
            actor.reset(token)


def state(county: CountyBuilder, job: int) -> tuple[str, str | None]:
    with county.context():
        county.session.rollback()
        row = county.session.execute(select(Job.state, Job.error).where(Job.id == job)).one()
        return row.state, row.error


def test_a_job_runs_and_says_how_far_it_is(app, county):
    job = submit(app, "note")

    assert DONE == [(7, "all")]
    assert state(county, job) == ("done", None)
    with app.app_context():
        assert jobs.progress_of(job) == 100


@pytest.mark.parametrize("kind", ["refuse", "break", "nobody knows"])
def test_a_failure_is_kept_in_words_without_the_data(app, county, kind):
    job = submit(app, kind)

    found, error = state(county, job)

    assert found == "failed"
    assert error
    assert "韦小明" not in error
    assert (error == "好的理由") is (kind == "refuse")


def test_a_job_has_the_scope_that_its_starter_has_now(app, county):
    person = county.person(place=county.a_school)
    user = county.account(person)
    office = county.appointment(person, "school_clerk", school=county.a_school)

    held = submit(app, "note", Actor(user.id, person.id, office.id))
    foreign = submit(app, "note", Actor(user.id, person.id, office.id + 100))

    assert DONE == [(7, "schools")]
    assert state(county, held)[0] == "done"
    assert state(county, foreign)[0] == "failed"


def test_a_job_that_is_woken_by_many_runs_once(app, county):
    job = submit(app, "note")
    county.execute(update(Job).where(Job.id == job).values(state="waiting"))
    DONE.clear()

    def wake() -> None:
        with app.app_context():
            run.run_job(app, job)

    threads = [threading.Thread(target=wake) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert DONE == [(7, "all")]


def test_what_a_dead_worker_left_is_done_after_the_restart_and_given_up_in_the_end(app, county):
    left, hopeless = submit(app, "note"), submit(app, "note")
    for job, attempts in ((left, 1), (hopeless, 3)):
        values = {"state": "running", "attempts": attempts}
        county.execute(update(Job).where(Job.id == job).values(**values))
    DONE.clear()

    with app.app_context():
        run.recover(app)

    assert DONE == [(7, "all")]
    assert state(county, left) == ("done", None)
    assert state(county, hopeless)[0] == "failed"


def test_workers_take_jobs_from_the_queue_of_either_database(app, county):
    app.config["JOBS_IMMEDIATE"] = False
    held = app.extensions.pop("jobs", None)
    try:
        job = submit(app, "note")
        assert state(county, job)[0] == "waiting"
        consumer = worker._Threads(queue.queue_of(app).huey, workers=2, periodic=False)
        consumer.start()
        for _ in range(100):
            if state(county, job)[0] == "done":
                break
            time.sleep(0.1)
        consumer.stop(graceful=True)
        queue.queue_of(app).huey.storage.close()
    finally:
        app.config["JOBS_IMMEDIATE"] = True
        app.extensions["jobs"] = held

    assert DONE == [(7, "all")]
    assert state(county, job)[0] == "done"


def test_only_one_process_works_off_the_jobs_of_an_embedded_database(app, county):
    with app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"

    first = worker._is_alone(app)
    second = worker._is_alone(app)

    assert first
    assert second is not is_sqlite
    lock = app.extensions.pop("jobs_lock", None)
    if lock is not None:
        lock.close()
