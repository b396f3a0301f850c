"""What may be uploaded, and what is left of it."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest
from flask import Flask
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from app.base import Refused
from app.files.content import Limits, judge, tidy_name

LIMITS = Limits(size=1024 * 1024, pixels=1_000_000)


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 20), exif: bytes = b"") -> bytes:
    held = io.BytesIO()
    image = Image.new("RGB", size, (200, 30, 30))
    image.save(held, kind, exif=exif) if exif else image.save(held, kind)
    return held.getvalue()


def camera_picture() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8769)[0x9003] = "2026:03:05 08:10:00"
    position = exif.get_ifd(0x8825)
    position[1], position[2] = "N", (IFDRational(24), IFDRational(29), IFDRational(0))
    return picture(exif=exif.tobytes())


def package(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return held.getvalue()


@pytest.fixture(autouse=True)
def _language(app: Flask):
    with app.test_request_context():
        yield


def test_picture_loses_position_and_camera_but_keeps_its_time():
    kept = judge("现场照片.jpg", camera_picture(), LIMITS)

    clean = Image.open(io.BytesIO(kept.body))
    assert dict(clean.getexif()) == {}
    assert b"SecretCamera" not in kept.body
    assert kept.taken_at == datetime(2026, 3, 5, 0, 10, tzinfo=UTC)
    assert kept.name == "现场照片.jpg"


def test_picture_is_turned_upright():
    kept = judge("a.jpg", camera_picture(), LIMITS)

    assert Image.open(io.BytesIO(kept.body)).size == (20, 40)


@pytest.mark.parametrize(("kind", "extension"), [("PNG", "png"), ("WEBP", "webp"), ("JPEG", "jpg")])
def test_pictures_of_each_kind_are_encoded_anew(kind, extension):
    kept = judge(f"a.{extension}", picture(kind) + b"<script>alert(1)</script>", LIMITS)

    assert Image.open(io.BytesIO(kept.body)).format == kind
    assert b"<script>" not in kept.body


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("会议通知.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"),
        ("台账.xlsx", package("[Content_Types].xml", "xl/workbook.xml")),
        ("方案.docx", package("[Content_Types].xml", "word/document.xml")),
        ("旧方案.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le")),
    ],
)
def test_papers_are_kept_as_they_are(name, body):
    kept = judge(name, body, LIMITS)

    assert kept.body == body
    assert kept.name == name


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("x.html", b"<html><script>alert(1)</script></html>"),
        ("x.php", b"<?php system($_GET['c']);"),
        ("x.exe", b"MZ\x90\x00" + b"\0" * 60),
        ("x.jpg", b"MZ\x90\x00" + b"\0" * 60),
        ("x.pdf", picture()),
        ("x.exe", b"%PDF-1.7"),
        ("x.xlsx", package("evil.txt")),
        ("x.xlsm", package("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin")),
        ("x.zip", package("a.txt")),
        ("x.jpg", picture()[:200]),
        ("empty.pdf", b""),
    ],
)
def test_other_files_are_refused_in_words(name, body):
    with pytest.raises(Refused) as refused:
        judge(name, body, LIMITS)

    assert name.rpartition(".")[0] in refused.value.message


def test_too_large_files_and_pictures_are_refused():
    with pytest.raises(Refused):
        judge("a.pdf", b"%PDF-" + b"0" * LIMITS.size, LIMITS)
    with pytest.raises(Refused):
        judge("a.png", picture("PNG", (2000, 1000)), LIMITS)


@pytest.mark.parametrize(
    ("given", "tidy"),
    [
        ("证明材料.pdf", "证明材料.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\temp\\照片.jpg", "照片.jpg"),
        ("a\x00b\r\n.pdf", "ab.pdf"),
        ("..", "file"),
        ("长" * 300 + ".pdf", "长" * 196 + ".pdf"),
    ],
)
def test_names_are_tidied_and_stay_chinese(given, tidy):
    assert tidy_name(given) == tidy


def test_phone_picture_with_another_picture_name_gets_the_right_one():
    assert judge("IMG_1.HEIC", picture(), LIMITS).name == "IMG_1.jpg"
