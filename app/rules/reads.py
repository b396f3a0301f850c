"""Tell which tables a rule reads."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.sql import visitors

from app.rules.judge import Judge
from app.rules.rule import Rule


def tables_of(judge: Judge, rule: Rule) -> frozenset[str]:
    """Return the tables that a rule's selects name; what the rule raises is raised."""
    window = judge.window(rule)
    if window is None:
        return frozenset()
    found = {
        element.name
        for query, _settings in judge.asked(rule, window, rule.select)
        for element in visitors.iterate(query)
        if isinstance(element, Table)
    }
    return frozenset(found)
