"""Test that data are said in the reader's language, and papers in the product's own."""

from __future__ import annotations

import re
from datetime import date

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from app.base import Model
from app.crud.base import BureauModelView
from app.models import (
    Appointment,
    Change,
    ChecklistVersion,
    Clause,
    Code,
    Inspection,
    LiaisonAssignment,
    Obligation,
    Parameter,
    ParameterValue,
)
from app.workflow import finding
from tests.inspection.conftest import TODAY

CHINESE = re.compile("[\u4e00-\u9fff]")
PAGES = (
    "/",
    "/childstatusview/list/",
    "/codeview/list/",
    "/parameterview/list/",
    "/parametervalueview/list/",
    "/policydocumentview/list/",
    "/clauseview/list/",
    "/checklistview/list/",
    "/checklistitemview/list/",
    "/checklistversionview/list/",
    "/inspection/all/list/",
    "/inspection/township-visit/list/",
    "/inspection/township-visit/add",
    "/obligationview/list/",
)


@pytest.fixture
def unit(county):
    county.year  # noqa: B018  # the classes' year
    county.school_class(county.a_school, name="7-1")
    return county.a_school


@pytest.fixture
def leader(county):
    return county.person("王镇长", place=county.a_township)


@pytest.fixture
def reader(login, county, unit, leader):
    return login("township_leader", township=county.a_township, person=leader)


def chinese_on(page, *names) -> set[str]:
    """Return the Chinese of a page's own part, names left out."""
    texts = list(page.select_one("main").stripped_strings)
    for name in sorted(names, key=len, reverse=True):
        texts = [text.replace(name, "") for text in texts]
    return {text for text in texts if CHINESE.search(text)}


def open_record(visitor, unit, leader) -> str:
    answer = visitor.submit(
        "/inspection/township-visit/add",
        {
            "school": str(unit.id),
            "occurred_on": TODAY.isoformat(),
            "person_1": str(leader.id),
            "capacity_1": "township_leader",
        },
        follow_redirects=False,
    )
    return answer.headers["Location"]


def test_english_reader_finds_no_chinese_but_names(county, unit, leader, reader) -> None:
    names = (leader.name, unit.name, county.a_township.name, county.here.name)
    reader.get("/lang/en")
    form = open_record(reader, unit, leader)

    left = {url: chinese_on(reader.soup(url), *names) for url in (*PAGES, form)}
    shown = chinese_on(reader.soup(form.replace("/edit/", "/show/")), *names)
    offered = reader.get("/lookup/child_status").get_json()["results"]
    typed = reader.get("/lookup/child_status?q=dropout").get_json()["results"]

    assert {url: found for url, found in left.items() if found} == {}
    assert shown == set()
    assert {"At school", "Suspected dropout"} <= {one["text"] for one in offered}
    assert [one["text"] for one in typed] == ["Suspected dropout"]


def test_chinese_reader_reads_the_wording_of_the_document(unit, leader, reader) -> None:
    form = open_record(reader, unit, leader)

    text = reader.soup(form).get_text()

    assert "督导项目" not in text
    assert "一、学校是否对控辍保学工作进行部署" in text
    assert "拿着学籍系统导出的学生人数，进班对着座位进行点名" in text
    assert "疑似辍学" in reader.soup("/childstatusview/list/").get_text()


def test_form_that_edits_a_text_shows_it_as_stored(login, county) -> None:
    code = county.scalar(select(Code).filter_by(domain="visit_reason", key="illness"))
    visitor = login("system_administrator")
    visitor.get("/lang/en")

    shown = visitor.soup(f"/codeview/show/{code.id}").select_one("main").get_text()
    typed = visitor.soup(f"/codeview/edit/{code.id}").select_one("input[name=name]")["value"]

    assert "Illness" in shown
    assert typed == "因病"


def rows(county, unit, leader):
    """Return rows of the models that hold keys, unsaved where that is enough."""
    parameter = county.scalar(select(Parameter).filter_by(key="core.feedback_days"))
    version = county.scalar(select(ChecklistVersion).where(ChecklistVersion.number == 1))
    clause = county.scalar(select(Clause).filter_by(key="LP24-4-4"))
    day = date(2026, 3, 6)
    return [
        Appointment(template="township_leader"),
        LiaisonAssignment(person=leader, capacity="liaison_department"),
        version,
        ParameterValue(parameter=parameter, number=3),
        clause,
        Obligation(type_key="township_visit", school=unit, due_on=day, period_start=day),
        Change(action="read", table_name="child", row_id=7),
    ]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "zh",
            [
                "乡镇政府领导",
                "王镇长 · 教育局挂点股室（责任督学）",
                "荔浦市控辍保学督导工作情况表 第1版",
                "书面反馈期限：3",
                "LP24-4-4 督导要求（四）通报制度和责任追究制度",
                "乡镇领导督导 · 修仁中学 · 2026-03-06",
                "查看 儿童少年 7",
            ],
        ),
        (
            "en",
            [
                "Township leader",
                "王镇长 · Liaison department, responsible inspector",
                "Record of dropout prevention inspection, Lipu, version 1",
                "Time to serve the written feedback: 3",
                "LP24-4-4 What inspections must do (4): bulletins and accountability",
                "Visit by township leaders · 修仁中学 · 2026-03-06",
                "Read Child 7",
            ],
        ),
    ],
)
def test_rows_say_what_they_are_in_words(county, unit, leader, language, said) -> None:
    with county.context(), force_locale(language):
        texts = [str(row) for row in rows(county, unit, leader)]

    assert texts == said


def test_every_row_that_a_screen_shows_says_what_it_is(app) -> None:
    shown = set()
    for view in app.extensions["appbuilder"].baseviews:
        if isinstance(view, BureauModelView):
            relations = view.datamodel.obj.__mapper__.relationships
            columns = {*view.list_columns, *view.show_columns, *view.add_columns}
            shown |= {
                view.datamodel.obj,
                *(relations[c].mapper.class_ for c in columns & {*relations.keys()}),
            }

    silent = {one.__name__ for one in shown if one.__repr__ in (object.__repr__, Model.__repr__)}

    assert Inspection in shown
    assert silent == set()


def test_findings_are_written_in_the_products_language(app, monkeypatch) -> None:
    spoken: list[str] = []

    def spy(session: object, inspection: object) -> list[object]:
        from flask_babel import get_locale

        spoken.append(str(get_locale()))
        return []

    monkeypatch.setattr(finding, "_findings_from", spy)

    with app.test_request_context("/?_l_=en"):
        finding.findings_from(None, None)  # type: ignore[arg-type]

    assert spoken == ["zh"]


def test_whole_county_is_called_by_its_level(login, county) -> None:
    visitor = login("system_administrator")

    said = {
        language: visitor.get(f"/lang/{language}", follow_redirects=True)
        and visitor.soup("/appointmentview/list/").select_one("main").get_text()
        for language in ("zh", "en")
    }

    assert "全市" in said["zh"]
    assert "全县" not in said["zh"]
    assert "Whole city" in said["en"]
