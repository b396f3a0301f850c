"""Files on disk: in full or not at all, and gone when nothing names them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from app.files.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "evidence")


def age(path: Path, seconds: int = 7200) -> None:
    past = time.time() - seconds
    os.utime(path, (past, past))


def test_content_is_kept_under_its_hash_once(store):
    first = store.put(b"abc")
    second = store.put(b"abc")

    assert first == second
    assert store.path(first).read_bytes() == b"abc"
    assert [p.name for p in store.root.glob("??/*")] == [first]


def test_digest_never_leads_out_of_the_folder(store):
    for evil in ("../../etc/passwd", "x" * 64, "", "/" + "a" * 63):
        with pytest.raises(ValueError, match="digest"):
            store.path(evil)


def test_young_file_is_not_removed_and_an_old_one_is(store):
    digest = store.put(b"abc")

    assert store.remove(digest) is False
    age(store.path(digest))
    assert store.remove(digest) is True
    assert not store.path(digest).exists()


def test_putting_again_makes_an_old_file_young(store):
    digest = store.put(b"abc")
    age(store.path(digest))
    store.put(b"abc")

    assert store.remove(digest) is False


def test_orphans_are_old_files_that_nobody_names(store):
    named, orphan, young = store.put(b"1"), store.put(b"2"), store.put(b"3")
    unfinished = store.path(orphan).parent / ".new-x"
    unfinished.write_bytes(b"half")
    for path in (store.path(named), store.path(orphan), unfinished):
        age(path)

    found = set(store.orphans({named}))

    assert found == {store.path(orphan), unfinished}
    assert store.path(young).exists()
