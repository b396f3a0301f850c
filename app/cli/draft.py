"""Judge with a draft version of a plugin in its place; read the wish, print what is found."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer the wish on the standard input with one line of JSON."""
    wish = json.load(sys.stdin)
    from app import create_app
    from config import from_environment

    config = from_environment(INSTANCE_DIR=wish["instance"])
    config.PLUGIN_DIRS = (Path(wish["plugins"]),)
    config.SQLALCHEMY_DATABASE_URI = wish["url"]
    app = create_app(config)
    with app.app_context():
        print(json.dumps(_answer(wish["name"], date.fromisoformat(wish["day"]))))


def _answer(name: str, day: date) -> dict[str, Any]:
    from app.cli.simulate import as_values
    from app.extensions import db
    from app.host.loader import host_of
    from app.rules.judge import judge_on
    from app.rules.simulate import found_on

    plugin = host_of().find(name)
    if plugin is None or not plugin.is_active:
        problems = plugin.problems if plugin is not None else ()
        raise SystemExit("; ".join(one.message for one in problems) or f"no plugin {name}")
    found = found_on(judge_on(db.session(), day, drafts=_values(plugin)), plugin.offers.rules)
    db.session.rollback()
    return {"verdicts": as_values(found.verdicts), "errors": dict(found.errors)}


def _values(plugin: Any) -> list[Any]:
    """Return the values that the draft brings, as drafts over the stored ones."""
    from app.parameters.value import Dated

    return [
        Dated(f"{plugin.name}.{short}", spec.unit, one.start, one.value, one.clause, one.basis)
        for short, spec in plugin.manifest.parameters.items()
        for one in spec.values
    ]


if __name__ == "__main__":
    main()
