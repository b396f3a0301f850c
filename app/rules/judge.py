"""Ask rules: for which periods, with which settings, on which judging day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.base import registry
from app.cadence.judge import Judge as ObligationJudge
from app.cadence.judge import load_judge
from app.cadence.period import WEEK, Terms, load_years, months_of_years, periods_of, spans_of
from app.parameters.settings import NoValue, Settings, settings_by
from app.parameters.value import Dated, Parameters, load_parameters
from app.parameters.window import Period, Window
from app.rules.rule import COLUMNS, Rule, RuleSelect
from app.workflow.seat import counted_elsewhere

Asked = tuple[Select, Settings]
"""A select for a stretch of time, and the settings that are constant over it."""


class WrongColumns(ValueError):
    """Report a select that does not return the columns of a rule."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Hold what all rules of one judging day share."""

    session: Session
    as_of: date
    parameters: Parameters
    terms: Terms
    obligations: Callable[[], ObligationJudge | None]
    elsewhere: Callable[[], frozenset[int]]
    """The children who sit at another school than the one that has them: it does not answer."""
    school_ids: frozenset[int] | None = None

    def window(self, rule: Rule) -> Window | None:
        """Return what a rule has to judge; None where there is nothing: no calendar, say."""
        periods = self._periods(rule)
        if not periods:
            return None
        months = months_of_years(self.terms)
        return Window(self.as_of, periods, self.school_ids, months, self.obligations)

    def asked(
        self, rule: Rule, window: Window, ask: RuleSelect, columns: Sequence[str] = COLUMNS
    ) -> list[Asked]:
        """Return a select for each stretch of periods over which the settings are constant."""
        found = []
        for settings, periods in self._stretches(rule, window.periods):
            try:
                query = ask(replace(window, periods=periods), settings)
            except NoValue:
                continue  # a parameter has no value on these days: the rule does not apply
            names = tuple(column.name for column in query.selected_columns)
            if names != tuple(columns):
                raise WrongColumns(", ".join(names))
            found.append((query, settings))
        return found

    def _periods(self, rule: Rule) -> tuple[Period, ...]:
        """Return periods of the school year, or all time."""
        if rule.period != "event":
            return periods_of(rule.period, self.terms, self.as_of)
        return spans_of(self.parameters.changes(keys_of(rule)), self.as_of)

    def _stretches(
        self, rule: Rule, periods: Sequence[Period]
    ) -> list[tuple[Settings, tuple[Period, ...]]]:
        """Group consecutive periods whose last days have the same values."""
        keys = keys_of(rule)
        stretches: list[tuple[Settings, tuple[Period, ...]]] = []
        for period in periods:
            settings = settings_by(self.parameters, keys, period.end)
            if stretches and stretches[-1][0] == settings:
                stretches[-1] = (stretches[-1][0], (*stretches[-1][1], period))
            else:
                stretches.append((settings, (period,)))
        return stretches


def judge_on(
    session: Session,
    as_of: date,
    *,
    school_ids: frozenset[int] | None = None,
    drafts: Sequence[Dated] = (),
) -> Judge:
    """Read calendar and parameters of a judging day, with drafts of values laid over them."""
    parameters = load_parameters(session).with_draft(drafts)
    terms = load_years(session, as_of, parameters=parameters)
    obligations = cache(partial(_judge_of, session, as_of, terms, parameters))
    elsewhere = cache(partial(counted_elsewhere, session, as_of))
    return Judge(session, as_of, parameters, terms, obligations, elsewhere, school_ids)


def _judge_of(
    session: Session, as_of: date, terms: Terms, parameters: Parameters
) -> ObligationJudge | None:
    """Read what judging the obligations of the school year needs; nothing without a calendar."""
    if terms.year is None:
        return None
    # The first fortnight begins on the Monday of its week, before the school year does.
    return load_judge(session, as_of, terms.year[0] - WEEK, as_of, parameters=parameters)


def keys_of(rule: Rule) -> tuple[str, ...]:
    """Return the full keys of the parameters that a rule may ask for."""
    names = registry.parameter_names(rule.plugin)
    return (*(f"{rule.plugin}.{name}" for name in names), *rule.reads)


def brief(error: BaseException) -> str:
    """Say in one line what went wrong; the database's own values are left out."""
    original = getattr(error, "orig", None) or error
    lines = str(original).strip().splitlines()
    text = f"{type(original).__name__}: {lines[0]}" if lines else type(original).__name__
    return text[:500]
