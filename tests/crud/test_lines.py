"""Draw the lines of a form in as many statements for many as for few, and the blank ones once."""

from __future__ import annotations

from datetime import date

from tests.visits import visit

DAY = date(2026, 3, 2)


def test_edit_page_takes_as_many_statements_for_many_lines(county, login, statements):
    clerk, child = login("school_clerk", school=county.a_school), county.child()
    kinds = ("school", "police_station", "judicial_office", "civil_affairs", "health")
    rows = [visit(county, child, visited_on=DAY, kinds=kinds[:count]) for count in (1, 5)]
    clerk.get(f"/visitview/edit/{rows[0].id}")

    counts = [len(statements(clerk, f"/visitview/edit/{row.id}")) for row in rows]

    assert counts[0] == counts[1]


def test_page_adds_lines_from_a_pattern_and_begins_with_blank_ones(county, login):
    clerk = login("school_clerk", school=county.a_school)

    page = clerk.soup("/visitview/add").select_one("#participants")

    assert len(page.select(":scope > fieldset")) == 2
    pattern = page.select_one("template")
    names = [field["name"] for field in pattern.select("[name]")]
    assert names == [
        f"participants-__next__-{name}" for name in ("organisation_kind", "name", "person")
    ]
