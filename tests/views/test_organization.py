"""The organization's screens: schools and the teaching points that belong to them."""

from __future__ import annotations

from app.models import School
from tests.conftest import CountyBuilder, Login
from tests.visitor import read


def test_only_a_teaching_point_has_a_parent_and_none_is_one(
    login: Login, county: CountyBuilder
) -> None:
    office, school, other = login("supervision_office"), county.a_school, county.school()
    point = county.school("山口教学点", kind="teaching_point")
    second = county.school("岭脚教学点", kind="teaching_point")

    def changed(row: School, **values: object) -> str:
        answer = office.submit(f"/schoolview/edit/{row.id}", dict(values))
        if answer.request.path == f"/schoolview/show/{row.id}":
            return "stored"
        wrong = read(answer).select(".has-error")
        assert len(wrong) == 1
        return str(wrong[0].select_one("input, select")["name"])

    assert changed(other, parent=school.id) == "parent"
    assert changed(point, parent=school.id) == "stored"
    assert changed(second, parent=point.id) == "parent"
    assert changed(point, parent=point.id) == "parent"
    assert changed(point, kind="primary") == "parent"
    assert changed(school, kind="teaching_point") == "kind"
    assert changed(school, kind="teaching_point", parent=point.id) == "parent"
    assert changed(point, kind="primary", parent="") == "stored"
