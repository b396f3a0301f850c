"""Part 13: headers, tokens, arguments and error pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from app.base import Refused
from config import Production
from tests.builder import PASSWORD, CountyBuilder
from tests.conftest import Login
from tests.visitor import Visitor, read

EXPECTED = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@pytest.mark.parametrize("path", ["/login/", "/", "/nothing-here"])
def test_every_page_has_the_headers(client: Visitor, path: str) -> None:
    answer = client.get(path)

    for name, value in EXPECTED.items():
        assert value in answer.headers.get(name, ""), name
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "object-src 'none'" in policy
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts is not None
    assert "unsafe" not in scripts[1]


def test_each_answer_has_a_nonce_of_its_own_and_every_script_bears_it(client: Visitor) -> None:
    nonces = set()

    for _visit in range(2):
        answer = client.get("/login/")
        found = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        assert found is not None
        nonces.add(found[1])
        scripts = [s for s in read(answer).select("script") if s.get("type") != "application/json"]
        assert scripts
        assert all(script.get("nonce") == found[1] for script in scripts)

    assert len(nonces) == 2


def test_pages_hold_no_inline_handlers_and_load_nothing_from_outside(
    county: CountyBuilder, login: Login
) -> None:
    visitor = login("school_leader", school=county.a_school)

    for path in ("/", "/childview/list/", "/childview/add", "/account/"):
        page = read(visitor.get(path))
        for tag in page.find_all(True):
            assert not [name for name in tag.attrs if name.startswith("on")], f"{path} {tag.name}"
            address = str(tag.get("src") or (tag.get("href") if tag.name == "link" else "") or "")
            assert not address.startswith(("http:", "https:", "//")), address


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(
    client: Visitor, county: CountyBuilder
) -> None:
    user = county.account(county.person())

    answer = client.submit(
        "/login/",
        {"username": user.username, "password": PASSWORD},
        select="form[method=post]",
        follow_redirects=False,
    )

    cookies = answer.headers.getlist("Set-Cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["bureau"]
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookies[0].split("; "))


@pytest.mark.parametrize(("settings", "is_secure"), [({}, True), ({"INSECURE_HTTP": "1"}, False)])
def test_cookies_of_production_need_an_encrypted_line_unless_told_otherwise(
    tmp_path: Path, settings: dict[str, str], is_secure: bool
) -> None:
    given = {
        "DATABASE_URL": "postgresql://localhost/bureau",
        "SECRET_KEY": "k" * 40,
        "INSTANCE_DIR": str(tmp_path),
    }

    assert Production(given | settings).SESSION_COOKIE_SECURE is is_secure


def test_static_files_may_be_kept(client: Visitor) -> None:
    with client.get("/static/bureau.css") as answer:
        assert answer.status_code == 200

    assert "no-store" not in answer.headers.get("Cache-Control", "")


def test_writing_needs_a_token(county: CountyBuilder, login: Login) -> None:
    visitor = login("school_leader", school=county.a_school)

    assert visitor.post("/childview/add", data={"name": "x"}).status_code == 400
    assert visitor.post("/login/", data={"username": "x", "password": "y"}).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "page_ChildView=abc",
        "page_ChildView=-1",
        "page_ChildView=99999999999999999999",
        "psize_ChildView=1000000",
        "psize_ChildView=x",
        "_oc_ChildView=id_number&_od_ChildView=asc",
        "_oc_ChildView=no_such&_od_ChildView=sideways",
        "_flt_0_id_number=1",
        "_flt_7_name=1",
        "_flt_0_school=x",
        "_flt_0_name=%00",
    ],
)
def test_odd_arguments_are_ignored(county: CountyBuilder, login: Login, query: str) -> None:
    visitor = login("school_leader", school=county.a_school)

    assert visitor.get(f"/childview/list/?{query}").status_code == 200


def test_a_flood_of_arguments_is_refused(client: Visitor) -> None:
    assert client.get("/login/?" + "&".join(f"a{n}=1" for n in range(500))).status_code == 400


def test_a_body_too_large_is_refused(app: Flask, client: Visitor) -> None:
    token = client.token()
    largest = app.config["MAX_CONTENT_LENGTH"]
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    try:
        answer = client.post("/login/", data={"csrf_token": token, "username": "x" * 20_000})
    finally:
        app.config["MAX_CONTENT_LENGTH"] = largest

    assert answer.status_code == 413


@pytest.mark.parametrize("code", [400, 403, 404, 405, 409, 413, 429, 500, 503])
def test_every_error_has_a_page_without_internals(app: Flask, code: int) -> None:
    from app.security import errors

    with app.test_request_context("/x"):
        answer = errors.page(code, "ABCD1234" if code >= 500 else "")

    page = answer.get_data(as_text=True)
    assert answer.status_code == code
    assert "Traceback" not in page
    assert ("ABCD1234" in page) is (code >= 500)


def test_failures_give_a_number_and_tell_nothing(
    app: Flask, client: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "李小四 450331201203040017"

    def fail() -> str:
        raise RuntimeError(secret)

    def lose() -> str:
        raise OperationalError("SELECT secret", {"name": secret}, Exception(secret))

    def refuse() -> str:
        raise Refused("这一步不允许。")

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    for view, code in ((fail, 500), (lose, 503), (refuse, 409)):
        monkeypatch.setitem(app.view_functions, "health.healthz", view)
        answer = client.get("/healthz")
        text = answer.get_data(as_text=True)
        assert answer.status_code == code
        assert secret not in text
        assert "SELECT" not in text
        assert ("这一步不允许。" in text) is (code == 409)


def test_stock_security_screens_are_not_there(app: Flask) -> None:
    addresses = {rule.rule for rule in app.url_map.iter_rules()}

    for path in (
        "/users/list/", "/roles/list/", "/resetpassword/form", "/resetmypassword/form",
        "/userinfoeditview/form", "/api/v1/security/refresh", "/api/v1/menu/", "/swagger/v1",
        "/api/v1/security/users/", "/userstatschartview/chart/", "/registeruser/list/",
    ):  # fmt: skip
        assert path not in addresses, path


def test_login_leads_back_only_inside(client: Visitor, county: CountyBuilder) -> None:
    user = county.account(county.person())
    for wanted in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        visitor = client
        visitor.delete_cookie("bureau")
        answer = visitor.submit(
            f"/login/?next={wanted}",
            {"username": user.username, "password": "Correct-horse-9"},
            select="form[method=post]",
            follow_redirects=False,
        )
        assert "evil" not in (answer.location or "")
        assert "javascript" not in (answer.location or "")
