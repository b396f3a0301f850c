"""Test that official records are written in the product's own language, whoever writes them."""

from __future__ import annotations

from app.workflow import finding


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
