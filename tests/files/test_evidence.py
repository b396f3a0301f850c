"""Files and rows agree: staged, adopted, removed after the commit, swept at start."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from app import clock
from app.extensions import db
from app.files.evidence import adopt, stage, store, sweep
from app.models import EvidenceFile, EvidenceSet, School


@pytest.fixture
def school(app, county) -> Iterator[School]:
    county.a_school  # noqa: B018  # made
    with app.app_context():
        yield county.a_school


def upload(body: bytes = b"%PDF-1.7 a", name: str = "证明.pdf") -> FileStorage:
    return FileStorage(io.BytesIO(body), filename=name)


def owner(county) -> object:
    from app.crud.placement import Place

    return Place(**county.scope_of(county.a_school))


def put(county, *uploads: FileStorage, set_id: int | None = None) -> EvidenceSet:
    held, refusals = stage(db.session(), uploads, owner(county), set_id)
    assert not refusals
    db.session.commit()
    assert held is not None
    return held


def files() -> list[EvidenceFile]:
    return list(db.session.scalars(select(EvidenceFile).order_by(EvidenceFile.id)))


def age(path: Path) -> None:
    past = time.time() - 7200
    os.utime(path, (past, past))


def test_staged_files_wait_in_the_scope_of_their_owner(county, school):
    held = put(county, upload())

    assert held.is_staged
    (file,) = files()
    assert (file.township_id, file.school_id) == (school.township_id, school.id)
    assert (file.name, file.media_type, file.size) == ("证明.pdf", "application/pdf", 10)
    assert store().path(file.stored_sha256).read_bytes() == b"%PDF-1.7 a"
    assert file.original_sha256 == file.stored_sha256


def test_same_file_twice_is_kept_once_and_others_join(county, school):
    held = put(county, upload())
    again = put(county, upload(), upload(b"%PDF-1.7 b", "b.pdf"), set_id=held.id)

    assert again.id == held.id
    assert [file.name for file in files()] == ["证明.pdf", "b.pdf"]


def test_refused_file_says_why_and_the_others_stay(county, school):
    held, refusals = stage(db.session(), [upload(b"<html>", "x.html"), upload()], owner(county))

    assert len(refusals) == 1
    assert "x.html" in refusals[0]
    assert [file.name for file in held.files] == ["证明.pdf"]


def test_owner_adopts_and_a_second_batch_joins_his_set(county, school):
    first = put(county, upload())
    key = adopt(db.session(), owner(county), None, first.id)
    second = put(county, upload(b"%PDF-1.7 b", "b.pdf"))

    assert adopt(db.session(), owner(county), key, second.id) == key
    db.session.commit()

    held = db.session.scalars(select(EvidenceSet)).all()
    assert [(one.id, one.is_staged, len(one.files)) for one in held] == [(key, False, 2)]


def test_removed_file_leaves_the_disk_after_the_commit_and_never_before(county, school):
    held = put(county, upload())
    key = adopt(db.session(), owner(county), None, held.id)
    db.session.commit()
    (file,) = files()
    path = store().path(file.stored_sha256)
    age(path)

    adopt(db.session(), owner(county), key, None, dropped=[file.id])
    db.session.flush()
    assert path.exists()
    db.session.rollback()
    assert path.exists()
    adopt(db.session(), owner(county), key, None, dropped=[files()[0].id])
    db.session.commit()

    assert not path.exists()
    assert files() == []


def test_content_that_another_row_names_stays(county, school):
    keys = [adopt(db.session(), owner(county), None, put(county, upload()).id) for _ in range(2)]
    db.session.commit()
    first = files()[0]
    path = store().path(first.stored_sha256)
    age(path)

    adopt(db.session(), owner(county), keys[0], None, dropped=[first.id])
    db.session.commit()

    assert path.exists()


def test_file_of_another_set_cannot_be_dropped(county, school):
    kept = adopt(db.session(), owner(county), None, put(county, upload()).id)
    other = adopt(db.session(), owner(county), None, put(county, upload(b"%PDF-2", "b.pdf")).id)
    foreign = next(file for file in files() if file.evidence_set_id == other)

    adopt(db.session(), owner(county), kept, None, dropped=[foreign.id])
    db.session.commit()

    assert len(files()) == 2


def test_sweep_takes_forgotten_sets_and_orphans_only(app, county, school):
    kept = adopt(db.session(), owner(county), None, put(county, upload()).id)
    forgotten = put(county, upload(b"%PDF-old", "old.pdf"))
    forgotten.created_at = clock.now() - timedelta(days=8)
    waiting = put(county, upload(b"%PDF-new", "new.pdf")).id
    db.session.commit()
    orphan = store().path(store().put(b"nobody"))
    for path in store().root.glob("??/*"):
        age(path)
    db.session.remove()

    sweep(app)

    left = set(db.session.scalars(select(EvidenceSet.id)))
    assert left == {kept, waiting}
    on_disk = {path.name for path in store().root.glob("??/*")}
    assert on_disk == {file.stored_sha256 for file in files()}
    assert not orphan.exists()
