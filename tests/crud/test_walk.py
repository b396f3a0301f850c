"""Part 3: walk every core view as a person does: add, show, list, edit, delete."""

from __future__ import annotations

import re

import pytest

from tests.conftest import CountyBuilder, Visitor
from tests.crud.example import EXAMPLES
from tests.visitor import read


def base(app, name):
    return next(v for v in app.appbuilder.baseviews if type(v).__name__ == name).route_base


def test_every_writable_core_view_has_an_example(core_views):
    writable = {type(view).__name__ for view in core_views if view.add_columns}

    assert writable == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_row_is_added_shown_listed_edited_and_deleted(
    name: str, app, admin: Visitor, county: CountyBuilder
) -> None:
    example, route = EXAMPLES[name], base(app, name)

    added = admin.submit(f"{route}/add", example.add(county))

    assert f"{route}/show/" in added.request.path, errors(added)
    key = added.request.path.rsplit("/", 1)[1]
    assert f"/show/{key}" in admin.get(f"{route}/list/?psize_{name}=100").get_data(as_text=True)
    if example.change:
        changed = admin.submit(f"{route}/edit/{key}", example.change)
        assert changed.request.path == f"{route}/show/{key}", errors(changed)
    assert example.shows in admin.get(f"{route}/show/{key}").get_data(as_text=True).replace(
        "、", ", "
    )
    if example.is_deleted:
        gone = admin.post_with_token(f"{route}/delete/{key}", follow_redirects=True)
        assert gone.status_code == 200
        assert admin.get(f"{route}/show/{key}").status_code == 404, errors(gone)


def errors(response) -> str:
    page = read(response)
    found = page.select(".error-summary, .field-error, .alert")
    return (
        re.sub(r"\s+", " ", " ".join(part.get_text(" ") for part in found)) or page.get_text()[:500]
    )


def test_every_core_view_lists_and_refuses_unknown_keys(core_views, admin):
    for view in core_views:
        route = view.route_base
        assert admin.get(f"{route}/list/").status_code == 200, route
        for method in ("show", "edit"):
            if method not in view.exclude_route_methods:
                for key in ("999999", "abc", "0", "99999999999999999999", "1 OR 1=1", "%00"):
                    answer = admin.get(f"{route}/{method}/{key}")
                    assert answer.status_code == 404, (route, method, key)
        if "delete" not in view.exclude_route_methods:
            assert admin.get(f"{route}/delete/1").status_code == 405
            assert admin.post_with_token(f"{route}/delete/999999").status_code == 404


def test_the_download_of_arbitrary_files_is_gone(app, core_views):
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}

    assert not endpoints & {f"{view.endpoint}.download" for view in core_views}
