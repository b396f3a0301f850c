"""Give records small pictures as evidence, each stored like an upload."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field

from PIL import Image

from app.cli.demo.days import Days, at
from app.cli.demo.store import Row, Store
from app.files.evidence import store as evidence_store
from app.models import EvidenceFile, EvidenceSet

PICTURES = 200
"""Different pictures; a larger county uses them again."""
SIZE = (64, 48)
REUSED = 150
"""One in so many records shows the original of the record before."""


@dataclass(slots=True)
class Album:
    """Make evidence sets with one picture each."""

    store: Store
    days: Days
    name: str
    _made: list[tuple[str, int]] = field(default_factory=list)
    _count: int = 0

    def add(self, scope: Row) -> int:
        """Add an evidence set with a picture in it."""
        digest, size = self._picture(self._count % PICTURES)
        self._count += 1
        set_id = self.store.add(EvidenceSet, **scope, is_staged=False)
        self.store.add(
            EvidenceFile,
            **scope,
            evidence_set_id=set_id,
            name=self.name,
            media_type="image/png",
            size=size,
            original_sha256=self._original(),
            stored_sha256=digest,
            taken_at=at(self.days.start, 9),
        )
        return set_id

    def _original(self) -> str:
        """Return the hash of what was uploaded: another for each record, but for a few."""
        number = self._count - (self._count % REUSED == 0)
        return hashlib.sha256(f"{self.name} {number}".encode()).hexdigest()

    def _picture(self, number: int) -> tuple[str, int]:
        while len(self._made) <= number:
            content = _painted(len(self._made))
            self._made.append((evidence_store().put(content), len(content)))
        return self._made[number]


def _painted(number: int) -> bytes:
    """Return a picture of one colour, another for each number."""
    colour = (40 + number % 16 * 12, 60 + number // 16 * 12, 120)
    body = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(body, "PNG")
    return body.getvalue()
