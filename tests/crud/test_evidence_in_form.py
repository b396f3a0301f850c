"""Files in a form: a refused form keeps them, a saved record owns them in its own place."""

from __future__ import annotations

from io import BytesIO

from sqlalchemy import select

from app.models import EvidenceFile, EvidenceSet, LiaisonContact
from tests.conftest import CountyBuilder, Login
from tests.visitor import read

URL = "/liaisoncontactview/add"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


def test_a_refused_form_keeps_its_files_and_the_record_adopts_them(
    login: Login, county: CountyBuilder
) -> None:
    clerk = login("school_clerk", school=county.a_school)
    data = {"school_person": "李老师", "township_person": "王干事", "valid_from": "nonsense"}
    upload = (BytesIO(PDF), "联系人文件.pdf")

    refused = clerk.submit(URL, {**data, "evidence_set_id": upload})
    form = read(refused).select_one("main form[method=post]")
    stored = clerk.send(form, URL, {"valid_from": "2026-03-05"})

    assert "联系人文件.pdf" in refused.get_data(as_text=True)
    assert "/show/" in stored.request.path
    contact = county.scalar(select(LiaisonContact))
    kept = county.scalar(select(EvidenceSet).where(EvidenceSet.id == contact.evidence_set_id))
    assert not kept.is_staged
    assert county.scalar(select(EvidenceFile.name)) == "联系人文件.pdf"
    assert (kept.township_id, kept.school_id) == (county.a_township.id, county.a_school.id)


def test_a_file_that_is_not_what_it_says_is_named_at_its_field(login, county):
    clerk = login("school_clerk", school=county.a_school)
    data = {"school_person": "李", "township_person": "王", "valid_from": "2026-03-05"}

    upload = (BytesIO(b"MZ\x90\x00 not a picture"), "photo.jpg")
    answer = clerk.submit(URL, {**data, "evidence_set_id": upload})

    assert answer.request.path == URL
    assert read(answer).select_one("#evidence_set_id-error")
    assert county.scalar(select(LiaisonContact.id)) is None
