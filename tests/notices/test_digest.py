"""The daily e-mail: over a real SMTP server, once a day, no names; failures are tried again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from email import message_from_string, policy

import pytest
import time_machine
from sqlalchemy import select, update

from app import database
from app.cli.nightly import digest, nightly
from app.extensions import db
from app.models import Account, Digest, Notification
from app.notices.digest import send_digests, write_digests
from config import Config, Misconfigured
from tests.builder import CountyBuilder
from tests.notices.test_inbox import DUE, NOON, TODAY, a_finding, a_night, give_calendar

ADDRESS = "xiaozhang@example.org"


@dataclass
class Server:
    """A small SMTP server on a port of its own: keeps what it takes, refuses what it is told to."""

    port: int = 0
    letters: list[str] = field(default_factory=list)
    refuses: bool = False

    def serve(self, listening: socket.socket) -> None:
        """Answer one connection after another until the socket closes."""
        while True:
            try:
                connection, _address = listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self.talk(stream)

    def talk(self, stream) -> None:
        """Lead one conversation."""

        def say(text: str) -> None:
            stream.write(f"{text}\r\n".encode())
            stream.flush()

        say("220 test")
        for line in stream:
            word = line.decode().strip().upper()
            if word.startswith("RCPT") and self.refuses:
                say("550 no such mailbox")
            elif word == "DATA":
                say("354 go on")
                taken = []
                for part in stream:
                    if part == b".\r\n":
                        break
                    taken.append(part.decode())
                self.letters.append("".join(taken))
                say("250 taken")
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")


@pytest.fixture
def server(app) -> Iterator[Server]:
    """Serve on a free port, and configure the product to send over it."""
    found = Server()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found.port = listening.getsockname()[1]
        thread = threading.Thread(target=found.serve, args=(listening,), daemon=True)
        thread.start()
        kept = dict(app.config)
        app.config.update(
            SMTP_HOST="127.0.0.1",
            SMTP_PORT=found.port,
            SMTP_SECURITY="none",
            MAIL_FROM="duda@example.invalid",
            PUBLIC_URL="https://kongchuo.example.invalid",
        )
        yield found
        app.config.update(kept)
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


@pytest.fixture(autouse=True)
def may():
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def principal(county: CountyBuilder):
    """A school leader who wants the e-mail, with two overdue rectifications and a due one."""
    give_calendar(county)
    person = county.person("莫校长", place=county.a_school)
    user = county.account(person)
    county.appointment(person, "school_leader", school=county.a_school)
    county.execute(update(Account).where(Account.user_id == user.id).values(digest_to=ADDRESS))
    for due_on in (DUE, DUE, date(2026, 5, 13)):
        child = county.child("覃小明")
        a_finding(county, "township_leader", state="served", due_on=due_on, child_id=child.id)
    return person


def post(county: CountyBuilder, day: date = TODAY):
    """Write down and send the e-mails of a day."""
    with county.context(), database.writing():
        write_digests(db.session(), day)
        db.session.commit()
        report = send_digests(db.session(), day)
        db.session.remove()
    return report


def digests(county: CountyBuilder) -> list[tuple[str, int, str | None]]:
    rows = county.all(select(Digest).order_by(Digest.id))
    return [(row.state, row.attempts, row.error) for row in rows]


def test_a_person_gets_one_e_mail_a_day_without_names(county, principal, server) -> None:
    a_night(county)

    first, second = post(county), post(county)

    assert (first.sent, second.sent) == (1, 0)
    letter = message_from_string(server.letters[0], policy=policy.default)
    text = letter.get_content()
    assert letter["To"] == ADDRESS
    assert letter["Subject"] == "控辍保学督导提醒（2026-05-12）：新增3条"
    assert "问题整改：3项" in text
    assert "https://kongchuo.example.invalid/inbox/" in text
    for name in ("覃小明", "莫校长", "修仁"):
        assert name not in text
    assert len(server.letters) == 1
    assert digests(county) == [("sent", 1, None)]


def test_nobody_gets_e_mails_without_address_server_or_news(county, principal, server) -> None:
    nothing = post(county)
    a_night(county)
    county.execute(update(Account).values(digest_to=None))
    no_address = post(county)
    county.execute(update(Account).values(digest_to=ADDRESS))
    county.app.config["SMTP_HOST"] = ""
    no_server = post(county)

    assert (nothing.sent, no_address.sent, no_server.sent) == (0, 0, 0)
    assert digests(county) == []
    assert server.letters == []


def test_what_fails_is_tried_again_and_given_up_in_the_end(county, principal, server) -> None:
    a_night(county)
    server.refuses = True

    reports = [post(county) for _time in range(7)]
    given_up = digests(county)
    server.refuses = False
    county.execute(update(Digest).values(attempts=1))
    post(county)

    assert [report.failed for report in reports] == [1, 1, 1, 1, 1, 0, 0]
    assert given_up == [("failed", 5, "SMTPRecipientsRefused 550")]
    assert digests(county) == [("sent", 2, None)]
    assert len(server.letters) == 1


def test_a_server_that_is_gone_stops_no_night(app, county, principal, server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        app.config["SMTP_PORT"] = taken.getsockname()[1]
    runner = app.test_cli_runner()

    first = runner.invoke(nightly)
    app.config["SMTP_PORT"] = server.port
    again = runner.invoke(digest)

    assert first.exit_code == 0, first.output
    assert "e-mails: 0 sent, 1 failed" in first.output
    assert "e-mails: 1 sent, 0 failed" in again.output
    assert county.all(select(Notification.id)) != []


def test_the_night_sends_nothing_twice(app, county, principal, server) -> None:
    runner = app.test_cli_runner()

    first, second = runner.invoke(nightly), runner.invoke(nightly)

    assert "notifications: 3" in first.output
    assert "things to do: 0 added, 0 changed, 0 ended; notifications: 0" in second.output
    assert "e-mails" not in second.output
    assert len(server.letters) == 1


def test_the_own_address_is_kept_and_the_trail_says_so(county, login) -> None:
    office = login("supervision_office")

    wrong = office.submit("/inbox/email", {"address": "kein"}).get_data(as_text=True)
    right = office.submit("/inbox/email", {"address": f" {ADDRESS} "}).get_data(as_text=True)
    kept = county.all(select(Account.digest_to).where(Account.digest_to.is_not(None)))
    office.submit("/inbox/email", {"address": ""})

    assert "电子邮箱格式不正确" in wrong
    assert 'value="kein"' in wrong
    assert "电子邮箱格式不正确" not in right
    assert kept == [ADDRESS]
    assert county.all(select(Account.digest_to).where(Account.digest_to.is_not(None))) == []


def test_a_failure_is_shown_to_the_administrator_only(county, principal, server, login) -> None:
    a_night(county)
    server.refuses = True
    post(county)

    page = login("system_administrator").soup("/digest/list/")

    text = page.select_one("main").get_text(" ", strip=True)
    assert "莫校长" in text
    assert "SMTPRecipientsRefused 550" in text
    assert ADDRESS not in text
    assert login("supervision_office").get("/digest/list/").status_code in {302, 403}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"SMTP_HOST": "mail.example.invalid"}, "MAIL_FROM"),
        ({"SMTP_SECURITY": "ssl"}, "SMTP_SECURITY"),
    ],
)
def test_a_wrong_setting_is_refused_at_the_start(tmp_path, settings, word) -> None:
    with pytest.raises(Misconfigured, match=word):
        Config({"INSTANCE_DIR": str(tmp_path), **settings})


def test_the_usual_ports_follow_from_the_way_of_sending(tmp_path) -> None:
    ports = {
        way: Config({"INSTANCE_DIR": str(tmp_path), "SMTP_SECURITY": way}).SMTP_PORT
        for way in ("tls", "starttls", "none")
    }

    assert ports == {"tls": 465, "starttls": 587, "none": 25}
