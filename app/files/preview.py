"""Scale pictures down for pages, once for each content; keep what was made beside the store."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from app.files.store import Store

LONGEST_SIDE = 360
QUALITY = 80
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
PDF = "application/pdf"
SHOWN_INLINE = PICTURES | {PDF}
"""What a browser may show by itself: pictures encoded by us, and PDF in its own viewer."""
MEDIA_TYPE = "image/jpeg"


def thumbnail(store: Store, digest: str) -> bytes | None:
    """Return a small picture of a stored one; None where the file is gone or no picture."""
    kept = store.thumbnail_path(digest)
    try:
        return kept.read_bytes()
    except FileNotFoundError:
        made = _scaled(store.path(digest))
    if made is not None:
        store.put_thumbnail(digest, made)
    return made


def _scaled(path: Path) -> bytes | None:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEG: decodes only what is needed
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            small = image.convert("RGBA")
    except (FileNotFoundError, UnidentifiedImageError, OSError, ValueError):
        return None
    paper = Image.new("RGB", small.size, "white")
    paper.paste(small, mask=small.getchannel("A"))
    target = io.BytesIO()
    paper.save(target, "JPEG", quality=QUALITY)
    return target.getvalue()
