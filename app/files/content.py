"""Judge an uploaded file by its content, and strip pictures of what betrays a place."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath

import filetype  # type: ignore[import-untyped]
from flask_babel import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from app import clock
from app.base import Refused

NAME_LENGTH = 200
EXIF_IFD = 0x8769
TAKEN = 0x9003
TAKEN_OFFSET = 0x9011
JPEG_QUALITY = 88
OLE_HEADER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The stream names of a compound file are UTF-16: they tell a document from an installer.
OLE_STREAMS = {
    "doc": ("WordDocument".encode("utf-16-le"),),
    "xls": ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le")),
}
PACKAGE_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
MEDIA_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
IMAGES = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
ACCEPT = ",".join(f".{extension}" for extension in (*MEDIA_TYPES, "jpeg"))

# Pillow only warns at its own limit; ours is checked right after the header is read.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Content:
    """A file that may be kept: its tidied name, true type and clean bytes."""

    name: str
    media_type: str
    body: bytes
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file (bytes) and a picture (pixels) may be."""

    size: int
    pixels: int


def judge(name: str, body: bytes, limits: Limits) -> Content:
    """Return what may be stored of an upload; raise :class:`Refused` with the reason if nothing."""
    name = tidy_name(name)
    if not body:
        raise Refused(_("%(name)s is empty.", name=name))
    if len(body) > limits.size:
        megabytes = limits.size // (1024 * 1024)
        raise Refused(
            _("%(name)s is larger than %(megabytes)s MB.", name=name, megabytes=megabytes)
        )
    extension = _sniff(body)
    if extension is None:
        raise Refused(
            _(
                "%(name)s is not accepted. Pictures (JPG, PNG, WebP), PDF, Word and Excel "
                "files without macros are.",
                name=name,
            )
        )
    name = _fitting_name(name, extension)
    if extension in IMAGES:
        return _picture(name, extension, body, limits)
    return Content(name, MEDIA_TYPES[extension], body)


def tidy_name(name: str) -> str:
    """Return the file's own name: no folders, no control characters, not too long."""
    name = name.replace("\\", "/").rpartition("/")[2]
    name = unicodedata.normalize("NFC", name)
    name = "".join(char for char in name if unicodedata.category(char)[0] != "C").strip(" .")
    path = PurePath(name or "file")
    suffix = path.suffix[:10]
    return path.stem[: NAME_LENGTH - len(suffix)] + suffix


def _sniff(body: bytes) -> str | None:
    """Return the extension that the content deserves, or None where it is not accepted."""
    if body.startswith(b"%PDF-"):
        return "pdf"
    if body.startswith(OLE_HEADER):
        found = (key for key, names in OLE_STREAMS.items() if any(n in body for n in names))
        return next(found, None)
    if body.startswith(b"PK\x03\x04"):
        return _package_kind(body)
    kind = filetype.guess(body)
    return kind.extension if kind is not None and kind.extension in IMAGES else None


def _package_kind(body: bytes) -> str | None:
    """Tell Word and Excel packages from other archives; one with macros is neither."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            names = set(package.namelist())
    except zipfile.BadZipFile:
        return None
    if "[Content_Types].xml" not in names or any(n.endswith("vbaProject.bin") for n in names):
        return None
    return next((key for key, part in PACKAGE_PARTS.items() if part in names), None)


def _fitting_name(name: str, extension: str) -> str:
    """Return a name with the right extension; refuse one that claims to be something else."""
    path = PurePath(name)
    claimed = path.suffix.lower().lstrip(".")
    claimed = "jpg" if claimed == "jpeg" else claimed
    if claimed == extension:
        return name
    both_pictures = claimed in {*IMAGES, "heic", "gif", "bmp"} and extension in IMAGES
    if claimed and not both_pictures:
        raise Refused(_("%(name)s is not what its name says.", name=name))
    return f"{path.stem}.{extension}"


def _picture(name: str, extension: str, body: bytes, limits: Limits) -> Content:
    """Encode a picture anew: upright, without position or any other hidden data."""
    try:
        with Image.open(io.BytesIO(body), formats=[IMAGES[extension]]) as image:
            if image.width * image.height > limits.pixels:
                raise Refused(_("%(name)s has too many pixels.", name=name))
            taken_at = _taken_at(image)
            upright = ImageOps.exif_transpose(image)
            clean = _bare(upright, extension)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refused(_("%(name)s is damaged: it cannot be read.", name=name)) from error
    encoded = io.BytesIO()
    clean.save(encoded, IMAGES[extension], quality=JPEG_QUALITY)
    return Content(name, MEDIA_TYPES[extension], encoded.getvalue(), taken_at)


def _bare(image: Image.Image, extension: str) -> Image.Image:
    """Return only the pixels: Pillow would carry some of the metadata along."""
    transparent = extension != "jpg" and image.has_transparency_data
    pixels = image.convert("RGBA" if transparent else "RGB")
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    return bare


def _taken_at(image: Image.Image) -> datetime | None:
    """Return when a camera took the picture; a time without a zone is the bureau's."""
    details = image.getexif().get_ifd(EXIF_IFD)
    text, offset = details.get(TAKEN), details.get(TAKEN_OFFSET)
    if not isinstance(text, str):
        return None
    try:
        naive = datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  # zoned below
        if isinstance(offset, str) and offset.strip("\0 "):
            aware = datetime.fromisoformat(f"{naive.isoformat()}{offset.strip(chr(0) + ' ')}")
        else:
            aware = naive.replace(tzinfo=clock.zone())
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
