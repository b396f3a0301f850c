"""Keep files on disk under the hash of their content; a file that is named is there in full."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

THUMBNAILS = "thumbnails"
GRACE_SECONDS = 3600
"""How long a file without a row stays: another request may be about to name it."""


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of files, each named by the SHA-256 of its content."""

    root: Path

    def path(self, digest: str) -> Path:
        """Return where the file of this digest is, or would be."""
        if len(digest) != 64 or not all(char in "0123456789abcdef" for char in digest):
            raise ValueError("not a digest")
        return self.root / digest[:2] / digest

    def thumbnail_path(self, digest: str) -> Path:
        """Return where the small picture of this digest is, or would be."""
        return self.root / THUMBNAILS / self.path(digest).name

    def put(self, content: bytes) -> str:
        """Store the content, safe against a power cut, and return its digest."""
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        if path.exists():
            os.utime(path)  # young again: a removal that is under way leaves it alone
            return digest
        _write(path, content)
        return digest

    def put_thumbnail(self, digest: str, content: bytes) -> None:
        """Keep the small picture of a stored one; it goes with it."""
        _write(self.thumbnail_path(digest), content)

    def remove(self, digest: str, *, grace: float = GRACE_SECONDS) -> bool:
        """Remove a file unless it is young; tell whether it is gone."""
        path = self.path(digest)
        try:
            if time.time() - path.stat().st_mtime < grace:
                return False
            path.unlink()
        except FileNotFoundError:
            return True
        finally:
            if not path.exists():
                self.thumbnail_path(digest).unlink(missing_ok=True)
        return True

    def orphans(self, known: Collection[str], *, grace: float = GRACE_SECONDS) -> Iterator[Path]:
        """Yield the old enough files that no row names, unfinished ones included."""
        limit = time.time() - grace
        for path in (*self.root.glob("??/*"), *self.root.glob(f"{THUMBNAILS}/*")):
            if path.name not in known and path.stat().st_mtime <= limit:
                yield path


def _write(path: Path, content: bytes) -> None:
    """Write a file that is there in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
