"""Make a county of any size for demonstrations: the same request gives the same rows."""

from __future__ import annotations

from app.cli.demo.county import Request, Summary, begin, exists, known_days, make

__all__ = ["Request", "Summary", "begin", "exists", "known_days", "make"]
