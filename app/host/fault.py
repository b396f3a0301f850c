"""Carry problems out of a stage."""

from __future__ import annotations

from app.base import Problem


class Broken(Exception):
    """Stop the loading of one plugin with the problems that were found."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{found.id} {found.where}" for found in problems))
        self.problems = problems


class BrokenPlugins(RuntimeError):
    """Stop the start where PLUGINS_STRICT is set: every problem, one a line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(
            "\n".join(
                f"{found.id} {found.where}: {found.message} ({found.hint})" for found in problems
            )
        )
        self.problems = problems
