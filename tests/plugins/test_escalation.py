"""Test the plugin escalation; what its ladders do is tested in tests/notices."""

from __future__ import annotations

from app.testing import PluginContract
from plugins.escalation.hooks import ladders


class TestEscalation(PluginContract):
    """Hold the plugin to the contract."""

    name = "escalation"


def test_every_step_above_the_first_has_a_dated_number_of_days(app) -> None:
    from datetime import date

    from app.extensions import db
    from app.parameters.value import load_parameters

    with app.app_context():
        parameters = load_parameters(db.session())
        db.session.remove()
    for ladder in ladders():
        for rung in ladder.rungs[1:]:
            days = parameters.on(f"escalation.{rung.days}", date(2026, 3, 2))
            assert isinstance(days, int), rung.key
            assert days > 0, rung.key
