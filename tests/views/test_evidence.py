"""Hand out files through their record: by its scope, by the right on its screen, never else."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from app.extensions import db
from app.files.double import same_originals
from app.files.evidence import store
from app.models import (
    ChecklistVersion,
    ChildStatus,
    EvidenceFile,
    EvidenceSet,
    Finding,
    FindingStep,
    Inspection,
    LiaisonContact,
    School,
    StatusEvent,
    Township,
)
from tests.builder import CountyBuilder
from tests.visitor import read

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
CONTACT = {"school_person": "李老师", "township_person": "王干事", "valid_from": "2026-03-05"}


def picture(colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (1200, 600), colour).save(held, "JPEG")
    return held.getvalue()


def keep(
    county: CountyBuilder,
    place: School | Township,
    body: bytes = PDF,
    name: str = "证明.pdf",
    media_type: str = "application/pdf",
    **values: Any,
) -> tuple[int, int]:
    """Store a file in a set of its own; return the keys of both."""
    scope = county.scope_of(place)
    with county.context():
        digest = store().put(body)
    held = county.add(EvidenceSet(is_staged=False, **scope))
    values.setdefault("original_sha256", digest)
    file = EvidenceFile(
        evidence_set_id=held.id,
        name=name,
        media_type=media_type,
        size=len(body),
        stored_sha256=digest,
        **values,
        **scope,
    )
    return held.id, county.add(file).id


def contact(county: CountyBuilder, place: School, set_id: int) -> LiaisonContact:
    return county.add(
        LiaisonContact(
            school_person="李",
            township_person="王",
            valid_from=date(2026, 3, 5),
            evidence_set_id=set_id,
            **county.scope_of(place),
        )
    )


def finding_of(county: CountyBuilder, school: School) -> Finding:
    scope = county.scope_of(school)
    version = county.scalar(select(ChecklistVersion.id).limit(1))
    inspection = Inspection(
        type_key="daily_check",
        state="submitted",
        occurred_on=date(2026, 3, 4),
        checklist_version_id=version,
        **scope,
    )
    return county.add(
        Finding(
            inspection_id=county.add(inspection).id,
            facts="事实",
            found_on=date(2026, 3, 4),
            **scope,
        )
    )


@pytest.mark.parametrize("page", ["", "/view", "/thumbnail"])
def test_file_of_a_record_out_of_scope_does_not_exist(county, login, page):
    school = county.a_school
    set_id, file = keep(county, school, picture(), "照片.jpg", "image/jpeg")
    contact(county, school, set_id)
    other = county.school(township=county.township())

    own = login("school_clerk", school=school).get(f"/evidence/{file}{page}")
    foreign = login("school_clerk", school=other).get(f"/evidence/{file}{page}")

    assert own.status_code == 200
    assert foreign.status_code == 404


def test_file_without_a_record_does_not_exist(county, login):
    _set, file = keep(county, county.a_school)

    assert login("school_clerk", school=county.a_school).get(f"/evidence/{file}").status_code == 404


def test_reader_without_a_right_on_the_record_gets_nothing(county, login):
    school = county.a_school
    set_id, file = keep(county, school)
    scope = county.scope_of(school)
    finding = finding_of(county, school)
    county.add(
        FindingStep(
            finding_id=finding.id,
            step="claim",
            from_state="served",
            to_state="claimed",
            happened_on=date(2026, 3, 5),
            happened_at=datetime(2026, 3, 5, 4, tzinfo=UTC),
            evidence_set_id=set_id,
            **scope,
        )
    )

    leader = login("school_leader", school=school).get(f"/evidence/{file}")
    teacher = login("class_teacher", school=school).get(f"/evidence/{file}")

    assert leader.status_code == 200
    assert teacher.status_code == 404


def test_paper_of_a_child_goes_with_it_to_its_new_school(county, login):
    before, now = county.school("原校"), county.school("现校", county.township())
    child = county.child(school=now)
    set_id, file = keep(county, before)
    county.add(
        StatusEvent(
            child_id=child.id,
            status_id=county.scalar(select(ChildStatus.id).filter_by(key="enrolled")),
            happened_on=date(2026, 3, 5),
            basis="转学",
            evidence_set_id=set_id,
            **county.scope_of(before),
        )
    )

    assert login("school_clerk", school=now).get(f"/evidence/{file}").status_code == 200


def test_pictures_are_scaled_once_and_papers_opened_safely(county, login):
    school = county.a_school
    set_id, photo = keep(county, school, picture(), "照片.jpg", "image/jpeg")
    contact(county, school, set_id)
    paper_set, paper = keep(county, school)
    contact(county, school, paper_set)
    clerk = login("school_clerk", school=school)

    small = clerk.get(f"/evidence/{photo}/thumbnail")
    opened = clerk.get(f"/evidence/{paper}/view")
    loaded = clerk.get(f"/evidence/{paper}")

    assert Image.open(io.BytesIO(small.data)).size == (360, 180)
    with county.context():
        digest = county.scalar(select(EvidenceFile.stored_sha256).where(EvidenceFile.id == photo))
        assert store().thumbnail_path(digest).read_bytes() == small.data
        assert store().remove(digest, grace=0)
        assert not store().thumbnail_path(digest).exists()
    assert clerk.get(f"/evidence/{paper}/thumbnail").status_code == 404
    assert opened.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" not in opened.headers["Content-Security-Policy"]
    assert "default-src 'none'" in opened.headers["Content-Security-Policy"]
    assert opened.headers["X-Content-Type-Options"] == "nosniff"
    assert loaded.headers["Content-Disposition"].startswith("attachment")


def test_word_and_excel_are_downloaded_even_from_the_viewer(county, login):
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    set_id, file = keep(county, county.a_school, b"PK", "方案.docx", kind)
    contact(county, county.a_school, set_id)

    answer = login("school_clerk", school=county.a_school).get(f"/evidence/{file}/view")

    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_page_of_a_record_shows_its_files(county, login):
    school = county.a_school
    set_id, file = keep(county, school, picture(), "现场照片.jpg", "image/jpeg")
    row = contact(county, school, set_id)

    page = login("school_clerk", school=school).soup(f"/liaisoncontactview/show/{row.id}")

    gallery = page.select_one("#evidence .gallery")
    assert gallery.select_one("img")["src"] == f"/evidence/{file}/thumbnail"
    assert "现场照片.jpg" in gallery.get_text()
    assert "kB" in gallery.get_text()
    assert "其他记录" not in gallery.get_text()


def test_original_under_two_records_is_told_to_the_uploader_and_on_the_page(county, login):
    clerk = login("school_clerk", school=county.a_school)
    first = clerk.submit(
        "/liaisoncontactview/add",
        {**CONTACT, "evidence_set_id": (io.BytesIO(picture()), "一.jpg")},
    )

    second = clerk.submit(
        "/liaisoncontactview/add",
        {**CONTACT, "school_person": "张", "evidence_set_id": (io.BytesIO(picture()), "二.jpg")},
    )

    assert "其他记录" not in read(first).get_text()
    assert "二.jpg 已是其他记录的佐证材料" in read(second).get_text()
    assert "其他记录也使用了此原件" in read(second).select_one("#evidence").get_text()


def test_select_of_same_originals_leaves_out_what_waits_in_forms(county):
    other = county.school(township=county.township())
    _one, first = keep(county, county.a_school, original_sha256="a" * 64)
    _two, second = keep(county, other, b"%PDF-2", original_sha256="a" * 64)
    waiting, _third = keep(county, other, b"%PDF-3", original_sha256="b" * 64)
    keep(county, other, b"%PDF-4", original_sha256="b" * 64)
    with county.context():
        county.session.get(EvidenceSet, waiting).is_staged = True
        county.session.commit()
        found = db.session.execute(same_originals()).all()
        db.session.remove()

    assert {(row.file_id, row.school_id) for row in found} == {
        (first, county.a_school.id),
        (second, other.id),
    }
