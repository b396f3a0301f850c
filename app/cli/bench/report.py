"""Print."""

from __future__ import annotations
from app.cli.bench.measure import PageResult


def line(r: PageResult) -> str:
    p, f = r.product, r.floor
    return (
        f"{r.page:20} {p.cpu_ms:8.2f} / {f.cpu_ms:6.2f} = {r.cpu_ratio:5.1f}x  wall {p.wall_ms:7.2f}/{f.wall_ms:6.2f} stm {p.statements}({r.own_statements})/{f.statements} "
        f"bytes {p.bytes}/{p.sent_bytes}/{f.bytes} peak {p.peak_kib:.0f}/{f.peak_kib:.0f} rows {r.rows} {r.written}"
    )
