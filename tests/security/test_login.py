"""Part 13: logins are limited, and every kind of ending ends a copied cookie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import select
from werkzeug.middleware.proxy_fix import ProxyFix

from app import clock
from app.extensions import db
from app.models import Account, Appointment, Change, LoginAddress, Person
from app.security import accounts, tries
from tests.builder import PASSWORD, CountyBuilder
from tests.conftest import Login, log_in
from tests.visitor import Visitor, read

WRONG = "Wrong-horse-9"
OWN_PAGE = "/account/"


def try_form(visitor: Visitor, username: str, password: str) -> bool:
    """Try the form; return whether the visitor is signed in afterwards."""
    visitor.submit(
        "/login/", {"username": username, "password": password}, select="form[method=post]"
    )
    return is_signed_in(visitor)


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get(OWN_PAGE).status_code == 200


def try_api(visitor: Visitor, username: str, password: str) -> bool:
    body = {"username": username, "password": password, "provider": "db"}
    return visitor.post("/api/v1/security/login", json=body).status_code == 200


@pytest.fixture
def person(county: CountyBuilder) -> Person:
    """Return a school leader with an account named ``zhang.san``."""
    someone = county.person("张三", county.a_school)
    county.account(someone, "zhang.san")
    county.appointment(someone, "school_leader", school=county.a_school)
    return someone


def test_a_login_is_noted_with_its_time(
    client: Visitor, county: CountyBuilder, person: Person
) -> None:
    account = select(User.login_count, User.last_login).where(User.username == "zhang.san")
    begun = clock.now().replace(tzinfo=None)

    for password in (PASSWORD, WRONG, PASSWORD):
        try_api(client, "zhang.san", password)

    with county.context():
        count, last = county.session.execute(account).one()
        county.session.rollback()
    assert count == 2
    assert last >= begun


def test_the_account_rests_after_five_failures_and_not_before(
    app: Flask, client: Visitor, person: Person
) -> None:
    for _attempt in range(4):
        assert not try_form(client, "zhang.san", WRONG)
    assert try_form(client, "zhang.san", PASSWORD)
    client.post_with_token("/logout/")

    for _attempt in range(5):
        assert not try_form(client, "zhang.san", WRONG)
    assert not try_form(client, "zhang.san", PASSWORD)

    with time_machine.travel(clock.now() + app.config["LOGIN_LOCK"] + timedelta(seconds=1)):
        assert try_form(client, "zhang.san", PASSWORD)


@pytest.mark.parametrize(
    "spelling", ["ZHANG.SAN", " zhang.san ", "ｚｈａｎｇ．ｓａｎ", "zhang .san", "Zhang.San"]
)
def test_no_spelling_leads_round_the_lock(client: Visitor, person: Person, spelling: str) -> None:
    for _attempt in range(5):
        try_form(client, "zhang.san", WRONG)

    assert not try_form(client, spelling, PASSWORD)


def test_form_and_api_share_the_lock(app: Flask, client: Visitor, person: Person) -> None:
    for _attempt in range(5):
        assert not try_api(client, "zhang.san", WRONG)

    assert not try_form(client, "zhang.san", PASSWORD)
    assert not try_api(client, "zhang.san", PASSWORD)


@contextmanager
def limited(app: Flask, count: int) -> Iterator[None]:
    """Let one address try few logins only."""
    before = app.config["LOGIN_TRIES_PER_ADDRESS"]
    app.config["LOGIN_TRIES_PER_ADDRESS"] = count
    try:
        yield
    finally:
        app.config["LOGIN_TRIES_PER_ADDRESS"] = before


def code_of(app: Flask, name: str, password: str = WRONG, forwarded: str = "") -> int:
    """Return what the API answers to a login from a client of its own."""
    body = {"username": name, "password": password, "provider": "db"}
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    visitor = app.test_client()
    return visitor.post("/api/v1/security/login", json=body, headers=headers).status_code


def test_form_and_api_share_the_limit_of_an_address(
    app: Flask, client: Visitor, person: Person, county: CountyBuilder
) -> None:
    with limited(app, 3):
        codes = [code_of(app, f"u{n}", forwarded=f"10.0.0.{n}") for n in range(4)]
        form = client.submit(
            "/login/",
            {"username": "zhang.san", "password": PASSWORD},
            select="form[method=post]",
        )
        with time_machine.travel(clock.now() + app.config["LOGIN_ADDRESS_WINDOW"]):
            later = try_form(client, "zhang.san", PASSWORD)

    assert codes == [401, 401, 401, 429]
    assert form.status_code == 429
    assert 0 < int(form.headers["Retry-After"]) <= 60
    assert later
    assert county.scalar(select(LoginAddress.address)) == "127.0.0.1"


def test_logins_that_succeed_do_not_use_the_limit_up(
    app: Flask, person: Person, county: CountyBuilder
) -> None:
    with limited(app, 2):
        codes = [code_of(app, "zhang.san", PASSWORD) for _office_in_the_morning in range(6)]

    assert codes == [200] * 6
    assert county.scalar(select(LoginAddress.tries)) == 0


def test_a_forged_address_changes_nothing_behind_a_proxy(
    app: Flask, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "wsgi_app", ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1))

    with limited(app, 3):
        forged = [code_of(app, f"u{n}", forwarded=f"10.0.0.{n}, 203.0.113.9") for n in range(5)]
        neighbour = code_of(app, "zhang.san", PASSWORD, forwarded="203.0.113.10")

    assert forged == [401, 401, 401, 429, 429]
    assert neighbour == 200


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("", "unknown"),
        (None, "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_one_line_is_one_address(address: str | None, counted: str) -> None:
    assert tries.network_of(address) == counted


def test_fifty_tries_at_once_lock_the_account_after_five(
    app: Flask, client: Visitor, person: Person, county: CountyBuilder
) -> None:
    other = county.account(county.person("李四"))
    with ThreadPoolExecutor(16) as crowd:
        codes = set(crowd.map(lambda _try: code_of(app, "zhang.san"), range(50)))

    failed = county.all(select(Change.note).where(Change.action == "login_failed"))
    assert codes == {401}
    assert Counter(failed) == {None: 5, "unknown, closed or locked": 45}
    assert not try_form(client, "zhang.san", PASSWORD)
    assert code_of(app, "zhang.san", PASSWORD) == 401
    assert try_form(client, other.username, PASSWORD)


def test_tries_at_once_do_not_pass_the_limit_of_an_address(app: Flask) -> None:
    with limited(app, 7), ThreadPoolExecutor(16) as crowd:
        codes = Counter(crowd.map(lambda n: code_of(app, f"u{n}"), range(40)))

    assert codes == {401: 7, 429: 33}


def test_other_accounts_of_the_address_go_on(
    app: Flask, client: Visitor, person: Person, county: CountyBuilder
) -> None:
    other = county.account(county.person("李四"))
    for _attempt in range(5):
        try_form(client, "zhang.san", WRONG)

    assert try_form(client, other.username, PASSWORD)


def test_unknown_locked_and_wrong_read_the_same(
    app: Flask, client: Visitor, person: Person, county: CountyBuilder
) -> None:
    closed = county.account(county.person("王五"))
    with app.app_context():
        db.session.get(type(closed), closed.id).active = False  # type: ignore[union-attr]
        db.session.commit()

    def words(username: str) -> str:
        data = {"username": username, "password": WRONG}
        answer = client.submit("/login/", data, select="form[method=post]")
        return read(answer).select_one("main").get_text(" ", strip=True)  # type: ignore[union-attr]

    texts = {words("zhang.san"), words("nobody"), words(closed.username)}
    for _attempt in range(5):
        words("zhang.san")

    assert {words("zhang.san")} == texts


def test_logins_and_failures_are_in_the_trail_without_what_was_typed(
    client: Visitor, person: Person, county: CountyBuilder
) -> None:
    try_form(client, "my-secret-typed-as-name", WRONG)
    try_form(client, "zhang.san", WRONG)
    try_form(client, "zhang.san", PASSWORD)

    kinds = Change.action.in_(["login", "login_failed"])
    rows = county.all(select(Change).where(kinds).order_by(Change.id))
    assert [row.action for row in rows] == ["login_failed", "login_failed", "login"]
    assert "secret" not in "".join(str(row.note) for row in rows)
    assert rows[-1].user_id == person.user_id


def copied(app: Flask, visitor: Visitor) -> Visitor:
    """Return another visitor with the same session cookie."""
    cookie = visitor.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    other = app.test_client()
    other.set_cookie(cookie.key, cookie.value)
    return other  # type: ignore[return-value]  # the application's own class


def sign_out(app: Flask, visitor: Visitor, person: Person) -> None:
    visitor.post_with_token("/logout/")


def change_password(app: Flask, visitor: Visitor, person: Person) -> None:
    answer = visitor.submit(
        "/account/password",
        {"present": PASSWORD, "password": "Neues-Wort-77", "repeated": "Neues-Wort-77"},
        select="form[action$=password]",
    )
    assert answer.status_code == 200
    assert is_signed_in(visitor)


def change_role(app: Flask, visitor: Visitor, person: Person) -> None:
    with app.app_context():
        row = db.session.scalar(select(Appointment).filter_by(person_id=person.id))
        assert row is not None
        row.template = "school_clerk"
        db.session.commit()


def close(app: Flask, visitor: Visitor, person: Person) -> None:
    with app.app_context():
        user = accounts.find(db.session(), "zhang.san")
        assert user is not None
        accounts.set_active(db.session(), user, is_active=False)
        db.session.commit()


@pytest.mark.parametrize("ending", [sign_out, change_password, change_role, close])
def test_a_copied_cookie_dies_with_the_session(
    app: Flask, client: Visitor, person: Person, ending: Any
) -> None:
    log_in(client, "zhang.san")
    thief = copied(app, client)
    assert is_signed_in(thief)

    ending(app, client, person)

    assert not is_signed_in(thief)


def test_idle_and_old_sessions_end(app: Flask, client: Visitor, person: Person) -> None:
    log_in(client, "zhang.san")
    start = clock.now()
    idle, whole = app.config["SESSION_IDLE"], app.config["PERMANENT_SESSION_LIFETIME"]
    thief = copied(app, client)

    with time_machine.travel(start + idle - timedelta(seconds=5), tick=False):
        assert is_signed_in(client)
    with time_machine.travel(start + idle + timedelta(minutes=1), tick=False):
        assert is_signed_in(client)
        assert not is_signed_in(thief)
    moment = start + idle
    while moment < start + whole:
        with time_machine.travel(moment, tick=False):
            client.get(OWN_PAGE)
        moment += idle / 2
    with time_machine.travel(start + whole + timedelta(minutes=1), tick=False):
        assert not is_signed_in(client)


def test_a_login_starts_a_new_session(app: Flask, client: Visitor, person: Person) -> None:
    client.get("/login/")
    before = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    log_in(client, "zhang.san")
    after = client.get_cookie(app.config["SESSION_COOKIE_NAME"])

    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert after.http_only
    assert after.same_site == "Lax"


def test_signing_out_needs_a_post(client: Visitor, person: Person) -> None:
    log_in(client, "zhang.san")

    assert client.get("/logout/").status_code == 200
    assert is_signed_in(client)
    assert client.post("/logout/").status_code == 400
    assert is_signed_in(client)


def test_whoever_must_change_the_password_goes_nowhere_else(
    app: Flask, client: Visitor, person: Person, county: CountyBuilder
) -> None:
    account = county.scalar(select(Account).where(Account.user_id == person.user_id))
    account.must_change_password = True
    county.add(account)

    log_in(client, "zhang.san")

    assert client.get("/").location == "/account/password"
    assert client.get("/childview/list/").location == "/account/password"
    change_password(app, client, person)
    assert client.get("/").status_code == 200


def test_an_old_password_must_be_changed(
    app: Flask, client: Visitor, person: Person, county: CountyBuilder
) -> None:
    account = county.scalar(select(Account).where(Account.user_id == person.user_id))
    account.password_changed_at = clock.now() - app.config["PASSWORD_MAX_AGE"] - timedelta(days=1)
    county.add(account)

    log_in(client, "zhang.san")

    assert client.get("/").location == "/account/password"


@pytest.mark.parametrize(
    "password", ["Short-1", "alllowercaseletters", "zhang.san-Abc9", "a" * 200 + "A1-", PASSWORD]
)
def test_weak_passwords_are_refused(
    app: Flask, client: Visitor, person: Person, password: str
) -> None:
    log_in(client, "zhang.san")
    answer = client.submit(
        "/account/password",
        {"present": PASSWORD, "password": password, "repeated": password},
        select="form[action$=password]",
    )

    assert read(answer).select_one(".field-error") is not None
    client.post_with_token("/logout/")
    assert try_form(client, "zhang.san", PASSWORD)


def test_the_present_password_is_asked_and_counted(
    app: Flask, client: Visitor, person: Person
) -> None:
    log_in(client, "zhang.san")
    for _attempt in range(5):
        client.submit(
            "/account/password",
            {"present": WRONG, "password": "Neues-Wort-77", "repeated": "Neues-Wort-77"},
            select="form[action$=password]",
        )

    assert not try_form(app.test_client(), "zhang.san", PASSWORD)  # type: ignore[arg-type]


@pytest.mark.parametrize("password", ["too-short", PASSWORD])
def test_a_right_present_password_with_a_bad_new_one_locks_nobody_out(
    app: Flask, client: Visitor, person: Person, password: str
) -> None:
    log_in(client, "zhang.san")
    for _attempt in range(6):
        answer = client.submit(
            "/account/password",
            {"present": PASSWORD, "password": password, "repeated": password},
            select="form[action$=password]",
        )
        wrong = read(answer).select(".has-error input")
        assert [field["id"] for field in wrong] == ["password"]

    change_password(app, client, person)

    assert try_form(app.test_client(), "zhang.san", "Neues-Wort-77")  # type: ignore[arg-type]


def test_demonstration_accounts_do_not_open_production(
    app: Flask, client: Visitor, person: Person, county: CountyBuilder
) -> None:
    account = county.scalar(select(Account).where(Account.user_id == person.user_id))
    account.is_demonstration = True
    county.add(account)
    app.config["IS_PRODUCTION"] = True
    try:
        assert not try_form(client, "zhang.san", PASSWORD)
    finally:
        app.config["IS_PRODUCTION"] = False


def test_the_token_of_a_form_stays_the_same_until_the_session_ends(
    login: Login, county: CountyBuilder
) -> None:
    visitor = login("supervision_office")
    shown = [token_of(visitor), token_of(visitor)]

    visitor.post("/logout/", data={"csrf_token": shown[0]})
    visitor = login("supervision_office")

    assert shown[0] == shown[1]
    assert token_of(visitor) != shown[0]


def token_of(visitor: Visitor) -> str:
    """Return the form token of a page."""
    return str(visitor.soup("/").select_one("meta[name=csrf-token]")["content"])
