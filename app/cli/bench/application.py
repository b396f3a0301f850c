"""Make the application that a worker or a server runs: the product, the floor, a stock one."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask

from app.cli.bench.wire import Spec


def application(spec: Spec) -> Flask:
    """Return the application of a kind; only what it needs itself is imported."""
    if spec.kind == "floor":
        from app.cli.bench.floor import create_floor

        keys = json.loads((Path(spec.folder) / "secrets.json").read_text(encoding="utf-8"))
        kind = "sqlite" if spec.url.startswith("sqlite") else "postgresql"
        key = keys["ENCRYPTION_KEYS"][0]
        return create_floor(kind, spec.address, key, spec.county, spec.user)
    if spec.kind == "stock":
        from app.cli.bench.stock import create_stock

        return create_stock(spec.url, spec.views)
    from app import create_app
    from app.cli.bench.settings import BenchConfig

    more = (Path(spec.plugins),) if spec.plugins else ()
    return create_app(BenchConfig(Path(spec.folder), spec.url, more))


def served(text: str) -> Flask:
    """Return the application of a spec in JSON, as gunicorn calls it."""
    return application(Spec(**json.loads(text)))
