"""Test the comparison of lists: what matches, what is proposed, how lines are closed."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from app.extensions import db
from app.jobs.run import run_job
from app.models import Change, Child, EvidenceFile, Job
from app.testing import PluginContract
from plugins.reconciliation.matching import Entry, match, near
from plugins.reconciliation.models import Comparison, Residual
from tests.builder import CountyBuilder
from tests.visitor import Visitor, read

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(order: int, born: str = "20130315") -> str:
    """Return a made-up id number with the right check digit."""
    body = f"000000{born}{order:03}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def wrong_check(right: str) -> str:
    return right[:17] + ("0" if right[17] != "0" else "1")


def entry(name: str, held: str | None = None, born: date | None = None, **more: Any) -> Entry:
    return Entry(name, index=held, number=held, born_on=born, **more)


class TestReconciliation(PluginContract):
    """Hold the plugin to the contract."""

    name = "reconciliation"


BORN = date(2013, 3, 15)


@pytest.mark.parametrize(
    ("left", "right", "kinds"),
    [
        (entry("李明", number(1)), entry("李明", number(1)), []),
        (entry("李 明", number(1)), entry("李明", number(1)), []),
        (entry("李明", number(1)), entry("黎明", number(1)), ["name"]),
        (entry("李明", None, BORN), entry("李明", number(1), BORN), []),
        (entry("李明", number(1), BORN), entry("李明", number(2), BORN), ["number"]),
        (entry("李明", None, BORN), entry("李明", None, date(2013, 3, 16)), None),
        (entry("李明"), entry("李明"), None),
    ],
)
def test_number_matches_before_name_and_day_of_birth(left, right, kinds):
    outcome = match([left], [right])

    assert len(outcome.same) == (0 if kinds is None else 1)
    assert [one.kind for one in outcome.findings] == (kinds or [])
    assert len(outcome.left) == len(outcome.right) == (1 if kinds is None else 0)


def test_names_that_occur_twice_on_a_day_match_nobody():
    twins = [entry("李明", None, BORN, row=1), entry("李明", None, BORN, row=2)]

    outcome = match(twins, [entry("李明", None, BORN)])

    assert not outcome.same
    assert len(outcome.left) == 2


def test_number_that_stands_twice_on_a_list_is_told_and_matched_once():
    twice = [entry("李明", number(1), row=1), entry("张三", number(1), row=2)]

    outcome = match(twice, [entry("李明", number(1))])

    (found,) = outcome.findings
    assert (found.kind, found.left.row, found.right.row) == ("double_left", 1, 2)
    assert len(outcome.same) == 1
    assert not outcome.left


RIGHT = number(7)


@pytest.mark.parametrize(
    ("left", "right", "likeness"),
    [
        (entry("李明", wrong_check(RIGHT)), entry("李明", RIGHT), "check"),
        (entry("李明", RIGHT[:9] + "9" + RIGHT[10:]), entry("李明", RIGHT), "digit"),
        (entry("李明", RIGHT[:16] + RIGHT[17:]), entry("李明", RIGHT), "digit"),
        (entry("李明", RIGHT[:16] + RIGHT[16:17] + RIGHT[16:]), entry("李明", RIGHT), "digit"),
        (
            entry("李明", RIGHT[:15] + RIGHT[16] + RIGHT[15] + RIGHT[17:]),
            entry("李明", RIGHT),
            None,
        ),
        (entry("黎明", number(1), BORN), entry("李明", number(2), BORN), "homophone"),
        (entry("覃芳", None, BORN), entry("秦芳", None, BORN), "homophone"),
        (entry("黎明", None, BORN), entry("李明", None, date(2013, 3, 16)), None),
        (entry("王五", number(1), BORN), entry("李明", number(2), BORN), None),
    ],
)
def test_nearly_alike_children_are_proposed(left, right, likeness):
    found = near([left], [right])

    assert [one.likeness for one in found] == ([likeness] if likeness else [])


def test_same_name_is_preferred_among_children_with_numbers_nearly_alike():
    wanted = entry("李明", wrong_check(RIGHT))
    others = [entry("李亮", RIGHT[:16] + "9" + RIGHT[17:]), entry("李明", RIGHT)]

    (found,) = near([wanted], others)

    assert found.right.name == "李明"


names = st.sampled_from(["李明", "黎明", "张三", "覃芳"])
people = st.builds(
    lambda order, name, has_number: entry(
        name, number(order) if has_number else None, BORN, row=order
    ),
    st.integers(1, 12),
    names,
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(people, max_size=12), st.lists(people, max_size=12))
def test_everybody_is_in_the_outcome_once(left, right):
    outcome = match(left, right)
    alike = near(outcome.left, outcome.right)

    doubled = [one.right for one in outcome.findings if one.kind == "double_left"]
    met = [pair[0] for pair in outcome.same]
    assert sorted(map(id, left)) == sorted(map(id, [*doubled, *met, *outcome.left]))
    paired = [id(one.left) for one in alike] + [id(one.right) for one in alike]
    assert len(paired) == len(set(paired))


def sheet(
    *rows: tuple[Any, ...], heads: tuple[str, ...] = ("姓名", "身份证号", "就读学校")
) -> BytesIO:
    book = openpyxl.Workbook()
    for row in (heads, *rows):
        book.active.append(row)
    target = BytesIO()
    book.save(target)
    target.seek(0)
    return target


def compared(visitor: Visitor, method: str = "enrolment_school", **data: Any) -> tuple[Any, Any]:
    answer = visitor.submit("/comparisons/add", {"method": method, **data})
    return answer, read(answer)


def lines(county: CountyBuilder) -> list[Residual]:
    """Return the stored lines as they are now; what is read later changes nothing in them."""
    rows = county.all(select(Residual).order_by(Residual.id))
    for row in rows:
        county.session.expunge(row)
    return rows


@pytest.fixture
def clerk(login, county) -> Visitor:
    return login("school_clerk", school=county.a_school)


def test_file_is_compared_with_the_children_of_the_product(county, clerk):
    seat = county.school_class()
    county.child("李明", school_class=seat, id_number=number(1), born_on=BORN)
    county.child("王五", school_class=seat, id_number=number(2), born_on=BORN)
    file = sheet(
        ("李明", number(1), ""), ("赵六", number(3), ""), ("王武", wrong_check(number(2)), "")
    )

    answer, page = compared(
        clerk, left_source="file", left_upload=(file, "学籍.xlsx"), right_source="at_school"
    )

    assert answer.status_code == 200
    assert {(line.kind, line.name, line.likeness) for line in lines(county)} == {
        ("left", "赵六", None),
        ("near", "王武", "check"),
    }
    made = county.scalar(select(Comparison))
    assert (made.left_count, made.right_count, made.agreeing) == (3, 2, 1)
    assert made.school_id == county.a_school.id
    assert "仅在学籍名单" in page.get_text()
    assert number(3) not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("名单.csv", lambda: BytesIO(f"姓名,身份证号\n赵六,{number(3)}\n".encode("gb18030"))),
        ("名单.xlsx", lambda: sheet(("赵六", number(3), "不知名学校"))),
    ],
)
def test_every_kind_of_file_is_read(county, clerk, name, make):
    compared(clerk, left_upload=(make(), name), right_source="at_school")

    (line,) = lines(county)
    assert (line.kind, line.name, line.left_row) == ("left", "赵六", 2)
    assert line.left_number == number(3)


def test_file_that_cannot_be_read_is_named_at_its_field(county, clerk):
    file = sheet(("1", "2"), heads=("品名", "单价"))

    _answer, page = compared(clerk, left_upload=(file, "价目.xlsx"), right_source="at_school")

    assert "姓名" in page.select_one("#left_upload-error").get_text()
    assert county.scalar(select(Comparison.id)) is None


def test_files_stay_while_the_form_is_refused_and_for_their_uploader_only(county, clerk, login):
    unreadable = sheet(("1", "2"), heads=("品名", "单价"))
    files = {"left_upload": (sheet(("赵六", number(3), "")), "学籍.xlsx")}
    typed = {"method": "enrolment_school", "left_source": "file", "right_source": "file"}

    _answer, page = compared(clerk, **files, right_upload=(unreadable, "价目.xlsx"))
    kept = page.select_one("[name=left_upload_kept]")["value"]
    assert "已保留文件：学籍.xlsx" in page.get_text()
    assert county.scalar(select(Comparison.id)) is None
    other = login("school_clerk", school=county.a_school)
    _answer, foreign = compared(other, left_upload_kept=kept, right_source="at_school")
    forged, _page = compared(clerk, left_upload_kept=kept[:-2], right_source="at_school")
    assert foreign.select_one("[name=left_upload_kept]") is None
    assert county.scalar(select(Comparison.id)) is None
    right = (sheet(("赵六", number(3), "")), "在校.xlsx")
    clerk.submit("/comparisons/add", {**typed, "left_upload_kept": kept, "right_upload": right})

    made = county.scalar(select(Comparison))
    assert forged.status_code == 200
    assert (made.left_file, made.right_file, made.agreeing) == ("学籍.xlsx", "在校.xlsx", 1)


def test_comparison_is_worked_off_as_a_job_whose_state_its_page_tells(
    app, county, clerk, monkeypatch
):
    waiting: list[int] = []
    monkeypatch.setattr("app.jobs.queue.wake", lambda _app, job_id: waiting.append(job_id))
    file = sheet(("赵六", number(3), ""))

    answer, page = compared(clerk, left_upload=(file, "学籍.xlsx"), right_source="at_school")
    made = county.scalar(select(Comparison.id))
    clerk.post_with_token(f"/comparisons/delete/{made}")
    busy = clerk.get(f"/comparisons/show/{made}")
    for _again in range(3):  # started again, it changes nothing
        county.execute(Job.__table__.update().values(state="waiting"))
        with app.app_context():
            run_job(app, waiting[0])
    done = clerk.get(f"/comparisons/show/{made}")

    assert answer.headers.get("Refresh") == busy.headers.get("Refresh") == "2"
    assert "正在比对名单" in page.get_text()
    assert county.scalar(select(Comparison.id)) == made
    assert "Refresh" not in done.headers
    assert [line.name for line in lines(county)] == ["赵六"]
    assert county.scalar(select(Job.state)) == "done"


def test_failure_of_the_job_is_told_on_the_page(app, county, clerk):
    empty = sheet()

    _answer, page = compared(clerk, left_upload=(empty, "空.xlsx"), right_source="at_school")

    assert "没有数据行" in page.select_one(".alert-danger").get_text()
    assert lines(county) == []


def test_rounded_number_is_a_line_that_says_so(county, clerk):
    file = sheet(("赵六", 450331201303150019, ""))

    compared(clerk, left_upload=(file, "a.xlsx"), right_source="at_school")

    (line,) = lines(county)
    assert (line.kind, line.left_row) == ("unread", 2)
    assert "末几位" in line.remark or "数字" in line.remark


def test_dropouts_of_poor_families_are_on_both_lists(county, login):
    office = login("supervision_office")
    county.child("李明", status="dropped_out", id_number=number(1), born_on=BORN)
    county.child("王五", status="dropped_out", id_number=number(2), born_on=BORN)
    file = sheet(("李明", number(1), ""), ("不在列", number(9), ""))

    compared(
        office, "dropout_poverty", left_source="dropped_out", right_upload=(file, "脱贫户.xlsx")
    )

    assert [(line.kind, line.name) for line in lines(county)] == [("both", "李明")]


def test_line_belongs_to_its_school_and_nobody_else_sees_it(county, login):
    office = login("supervision_office")
    other = county.school("马岭中学", county.township("马岭镇"))
    file = sheet(
        ("李明", number(1), "修仁中学"), ("王五", number(2), "马岭中学"), ("赵六", number(3), "")
    )
    county.a_school  # noqa: B018  # made

    compared(office, left_upload=(file, "a.xlsx"), right_source="at_school")

    places = {line.name: (line.township_id, line.school_id) for line in lines(county)}
    assert places["李明"] == (county.a_township.id, county.a_school.id)
    assert places["王五"] == (other.township_id, other.id)
    assert places["赵六"] == (None, None)
    seen = login("school_clerk", school=other).soup("/comparison-lines/list/").get_text()
    assert "王五" in seen
    assert "李明" not in seen
    assert "赵六" not in seen
    assert "赵六" in office.soup("/comparison-lines/list/").get_text()
    foreign = next(line.id for line in lines(county) if line.name == "李明")
    clerk = login("school_clerk", school=other)
    for page in ("show", "edit"):
        assert clerk.get(f"/comparison-lines/{page}/{foreign}").status_code == 404


def test_own_child_outside_the_scope_is_on_no_list(county, clerk):
    other = county.school("马岭中学", county.township("马岭镇"))
    county.child("外校", school=other, school_class=county.school_class(other), id_number=number(5))
    file = sheet(("外校", number(5), ""))

    compared(clerk, left_upload=(file, "a.xlsx"), right_source="at_school")

    assert [(line.kind, line.school_id) for line in lines(county)] == [("left", county.a_school.id)]


def asked(county: CountyBuilder, visitor: Visitor, rows: list[tuple[Any, ...]]) -> int:
    """Return how many statements it takes to compare a list."""
    counted: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        counted.append(statement)

    with county.context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    compared(visitor, left_upload=(sheet(*rows), "a.xlsx"), right_source="at_school")
    event.remove(engine, "before_cursor_execute", count)
    return len(counted)


def test_statements_do_not_grow_with_the_rows(county, clerk):
    seat = county.school_class()
    for order in range(1, 4):
        county.child(f"学生{order}", school_class=seat, id_number=number(order), born_on=BORN)
    counts = [
        asked(
            county, clerk, [(f"名{order}", number(order), "") for order in range(500, 500 + size)]
        )
        for size in (20, 300)
    ]

    assert len(lines(county)) == 20 + 3 + 300 + 3
    assert counts[1] <= counts[0] + 3


def one_line(county: CountyBuilder, visitor: Visitor, held: str) -> Residual:
    compared(visitor, left_upload=(sheet(("赵六", held, "")), "a.xlsx"), right_source="at_school")
    return lines(county)[-1]


def close(visitor: Visitor, line: Residual, closure: str, **more: Any) -> Any:
    return visitor.submit(f"/comparison-lines/edit/{line.id}", {"closure": closure, **more})


@pytest.mark.parametrize(
    ("held", "closure", "has_proof", "refused_at"),
    [
        (number(3), "at_other_school", True, None),
        (number(3), "at_other_school", False, "evidence_set_id"),
        (number(3), "in_ledger", False, None),
        (wrong_check(number(3)), "in_ledger", False, "closure"),
        (wrong_check(number(3)), "number_corrected", False, None),
        (number(3), "same_child", True, "closure"),
        (number(3), "", False, "closure"),
    ],
)
def test_line_closes_with_a_fitting_reason_and_its_proof(
    county, clerk, held, closure, has_proof, refused_at
):
    line = one_line(county, clerk, held)
    proof = {"evidence_set_id": (BytesIO(PDF), "就读证明.pdf")} if has_proof else {}

    answer = close(clerk, line, closure, closure_note="已核实", **proof)

    (stored,) = [one for one in lines(county) if one.id == line.id]
    if refused_at is None:
        assert (stored.closure, stored.closure_note) == (closure, "已核实")
        assert stored.closed_at is not None
        assert stored.closed_by_id is not None
        assert county.scalar(select(EvidenceFile.school_id)) == (
            county.a_school.id if has_proof else None
        )
    else:
        assert read(answer).select_one(f"#{refused_at}-error")
        assert (stored.closure, stored.closed_at) == (None, None)


def test_form_offers_the_reasons_that_fit_the_line(county, clerk):
    right = one_line(county, clerk, number(4))
    wrong = one_line(county, clerk, wrong_check(number(3)))

    other = clerk.soup(f"/comparison-lines/edit/{right.id}")
    page = clerk.soup(f"/comparison-lines/edit/{wrong.id}")

    offered = {option["value"] for option in page.select("select[name=closure] option")}
    assert {"", "number_corrected", "list_corrected"} <= offered
    assert not offered & {"in_ledger", "same_child", "name_corrected"}
    assert other.select_one("select[name=closure] option[value=in_ledger]")


def test_closed_line_is_opened_again_by_the_office_only(county, clerk, login):
    line = one_line(county, clerk, number(3))
    close(clerk, line, "in_ledger")

    again = clerk.get(f"/comparison-lines/edit/{line.id}", follow_redirects=True)
    refused = clerk.post_with_token(f"/comparison-lines/reopen/{line.id}")
    office = login("supervision_office")
    office.post_with_token(f"/comparison-lines/reopen/{line.id}", follow_redirects=True)

    assert again.request.path.startswith("/comparison-lines/show/")
    assert refused.status_code in {302, 403}
    assert lines(county)[-1].closed_at is None


def near_line(county: CountyBuilder, clerk: Visitor) -> tuple[int, Residual]:
    seat = county.school_class()
    child = county.child("李明", school_class=seat, id_number=wrong_check(RIGHT), born_on=BORN).id
    compared(clerk, left_upload=(sheet(("李明", RIGHT, "")), "a.xlsx"), right_source="at_school")
    return child, lines(county)[-1]


def test_number_is_mended_before_anybody_speaks_of_dropout(county, clerk):
    child, line = near_line(county, clerk)

    page = clerk.soup(f"/comparison-lines/show/{line.id}")
    clerk.send(page.select_one("form[action*='take-over']"), f"/comparison-lines/show/{line.id}")

    assert line.kind == "number"
    assert "请先核对身份证号" in page.get_text()
    assert RIGHT not in str(page)
    with county.context():
        held = county.scalar(select(Child).where(Child.id == child))
        assert held.id_number == RIGHT
    assert (held.sex, held.born_on) == ("male" if int(RIGHT[16]) % 2 else "female", BORN)
    assert lines(county)[-1].closure == "number_corrected"


def test_number_of_another_child_is_not_taken_over(county, clerk):
    _child, line = near_line(county, clerk)
    other = county.school("马岭中学")
    county.child("李明明", school=other, id_number=RIGHT)

    answer = clerk.post_with_token(f"/comparison-lines/take-over/{line.id}", follow_redirects=True)

    assert answer.status_code == 200
    assert lines(county)[-1].closed_at is None


def test_different_children_become_a_line_each(county, clerk):
    seat = county.school_class()
    county.child("黎明", school_class=seat, id_number=number(1), born_on=BORN)
    compared(
        clerk, left_upload=(sheet(("李明", number(2), "")), "a.xlsx"), right_source="at_school"
    )
    (line,) = lines(county)

    close(clerk, line, "different_children")

    assert [(one.kind, one.name, one.closure) for one in lines(county)] == [
        ("near", "李明", "different_children"),
        ("left", "李明", None),
        ("right", "黎明", None),
    ]


def test_lines_leave_as_a_workbook_that_masks_numbers_and_is_recorded(county, clerk):
    one_line(county, clerk, number(3))
    made = county.scalar(select(Comparison.id))

    answer = clerk.get(f"/comparisons/workbook/{made}")

    book = openpyxl.load_workbook(BytesIO(answer.data))
    assert answer.mimetype == XLSX
    assert book.sheetnames == ["汇总", "仅在学籍名单"]
    cells = [cell for row in book["仅在学籍名单"].values for cell in row if cell is not None]
    assert "赵六" in cells
    assert number(3)[:6] + "********" + number(3)[-4:] in cells
    assert number(3) not in cells
    note = county.scalar(select(Change.note).where(Change.action == "export"))
    assert note == f"comparison {made}"


def test_comparison_goes_only_while_no_line_is_closed(county, clerk):
    line = one_line(county, clerk, number(3))
    made = county.scalar(select(Comparison.id))
    close(clerk, line, "in_ledger")

    clerk.post_with_token(f"/comparisons/delete/{made}", follow_redirects=True)
    stays = county.scalar(select(Comparison.id))
    second = one_line(county, clerk, number(4)).comparison_id
    clerk.post_with_token(f"/comparisons/delete/{second}", follow_redirects=True)

    assert stays == made
    assert county.all(select(Comparison.id)) == [made]
    assert [one.comparison_id for one in lines(county)] == [made]


def test_numbers_leave_in_full_only_for_a_purpose_that_is_kept(county, clerk):
    one_line(county, clerk, number(3))
    made = county.scalar(select(Comparison.id))
    url = f"/comparisons/workbook/{made}"

    without = clerk.post_with_token(url, {"purpose": " "})
    answer = clerk.post_with_token(url, {"purpose": "报县委核查"})

    assert without.status_code == 302
    book = openpyxl.load_workbook(BytesIO(answer.data))
    assert number(3) in [cell for row in book["仅在学籍名单"].values for cell in row]
    notes = county.all(select(Change.note).where(Change.action == "export"))
    assert notes == [f"comparison {made}: 报县委核查"]
