"""Answers are compressed for browsers that ask, and their length tells nothing."""

from __future__ import annotations

import gzip

import pytest
from werkzeug.test import TestResponse

from app import compression
from tests.conftest import Visitor

ASKED = {"Accept-Encoding": "gzip, deflate"}


def get(client: Visitor, url: str, headers: dict[str, str] | None = None) -> TestResponse:
    """Return an answer that was read to its end, with its file closed."""
    answer = client.get(url, headers=headers)
    answer.get_data()
    answer.close()
    return answer


@pytest.mark.parametrize("url", ["/login/", "/static/bureau.css"])
def test_a_text_is_the_same_compressed(client: Visitor, url: str) -> None:
    plain = get(client, url)
    sent = get(client, url, ASKED)

    assert "Content-Encoding" not in plain.headers
    assert sent.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in sent.headers["Vary"]
    assert int(sent.headers["Content-Length"]) == len(sent.data) < len(plain.data) / 2
    opened = gzip.decompress(sent.data)
    assert opened.splitlines()[:5] == plain.data.splitlines()[:5]


def test_a_file_that_the_browser_has_is_not_sent_again(client: Visitor) -> None:
    first = get(client, "/static/bureau.css", ASKED)

    again = get(client, "/static/bureau.css", {**ASKED, "If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")


def test_the_same_text_has_many_lengths() -> None:
    body = b"the same text " * 500

    sent = [compression._padded(body) for _ in range(30)]

    assert {gzip.decompress(one) for one in sent} == {body}
    assert len({len(one) for one in sent}) > 10


def test_what_is_short_or_no_text_stays_as_it_is(client: Visitor) -> None:
    short = get(client, "/static/icons/bureau.svg", ASKED)
    picture = get(client, "/static/appbuilder/img/fab.png", ASKED)

    for answer in (short, picture):
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers
