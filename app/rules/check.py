"""Check a select without a database: it compiles, returns the columns, and names what exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Literal, get_args, get_origin, get_type_hints

from sqlalchemy import ColumnClause, Select, TableClause
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import NoSuchColumnError
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import AliasedReturnsRows

from app.base import Model
from app.cadence.calendar import Calendar
from app.cadence.judge import Judge
from app.parameters.definition import ParameterSpec
from app.parameters.settings import Settings, UnknownSetting
from app.parameters.value import Dated, Parameters, Value, plain
from app.parameters.window import Period, Window
from app.rules.rule import COLUMNS, EVIDENCE_COLUMNS, Rule, RuleSelect
from app.workflow.ledger import OPENING_COLUMNS, Opening

DIALECTS: Final = (sqlite.dialect(), postgresql.dialect())
WORDS: Final = {
    name: get_args(kind)
    for name, kind in get_type_hints(Rule).items()
    if get_origin(kind) is Literal
}
"""The arguments of a rule that take one of a few words."""
SAMPLE_DAY: Final = date(2024, 9, 2)
SAMPLE: Final = Window(
    as_of=SAMPLE_DAY,
    periods=(Period("2024-09", date(2024, 9, 1), date(2024, 9, 30), date(2024, 9, 30)),),
    judge=lambda: Judge(SAMPLE_DAY, SAMPLE_DAY, SAMPLE_DAY, Calendar(), Parameters({}), {}),
)
_OF_CORE: Final = ParameterSpec(title="-", unit="count")


class SelectFault(Exception):
    """Carry the number and the facts of what is wrong with a select."""

    def __init__(self, number: str, **facts: str) -> None:
        super().__init__(number, facts)
        self.number = number
        self.facts = facts

    @property
    def said(self) -> str:
        """Return in one line what is wrong."""
        return "; ".join(self.facts.values())


def check_rule(rule: Rule, declared: Mapping[str, ParameterSpec]) -> None:
    """Raise SelectFault unless the rule's words are known and its select runs on both databases."""
    for name, known in WORDS.items():
        if getattr(rule, name) not in known:
            found = str(getattr(rule, name))
            raise SelectFault("E054", argument=name, found=found, known=", ".join(known))
    declared = {**declared, **{key.partition(".")[2]: _OF_CORE for key in rule.reads}}
    query = check_select(rule.select, declared)
    names = names_of(query)
    if names != COLUMNS:
        raise SelectFault("E053", found=", ".join(names), wanted=", ".join(COLUMNS))
    if rule.evidence is None:
        return
    names = names_of(check_select(rule.evidence, declared))
    if names != EVIDENCE_COLUMNS:
        raise SelectFault("E053", found=", ".join(names), wanted=", ".join(EVIDENCE_COLUMNS))


def names_of(query: Select) -> tuple[str, ...]:
    """Return the names of the columns that a select returns."""
    # What has no label, such as a bare literal, has no name either.
    return tuple(str(getattr(column, "name", "?")) for column in query.selected_columns)


def check_opening(opening: Opening, declared: Mapping[str, ParameterSpec]) -> None:
    """Raise SelectFault unless an opening's select can be run on both databases."""
    names = names_of(check_select(opening.select, declared))
    if names != OPENING_COLUMNS:
        raise SelectFault("E059", found=", ".join(names), wanted=", ".join(OPENING_COLUMNS))


def check_select(select: RuleSelect, declared: Mapping[str, ParameterSpec]) -> Select:
    """Return the select of a sample window; raise SelectFault where it cannot be made."""
    settings = Settings({name: _sample(name, spec) for name, spec in declared.items()})
    try:
        query = select(SAMPLE, settings)
    except UnknownSetting as error:
        raise SelectFault("E056", parameter=str(error)) from error
    except (AttributeError, KeyError, NoSuchColumnError) as error:
        raise SelectFault("E051", detail=_brief(error)) from error
    except Exception as error:
        raise SelectFault("E050", detail=_brief(error)) from error
    if not isinstance(query, Select):
        raise SelectFault("E050", detail=f"returned {type(query).__name__}, not a select")
    for missing in unknown_names(query):
        raise SelectFault("E051", detail=missing)
    _compile(query)
    return query


def unknown_names(query: Select) -> Iterator[str]:
    """Yield the tables and columns that a select names and the metadata does not have."""
    for element in visitors.iterate(query):
        if isinstance(element, TableClause):
            known = Model.metadata.tables.get(element.name)
            if known is None and not isinstance(element, AliasedReturnsRows):
                yield element.name
        elif isinstance(element, ColumnClause) and isinstance(element.table, TableClause):
            known = Model.metadata.tables.get(element.table.name)
            if known is not None and element.name not in known.columns:
                yield f"{element.table.name}.{element.name}"


def _compile(query: Select) -> None:
    """Compile for both databases."""
    for dialect in DIALECTS:
        try:
            query.compile(dialect=dialect)
        except Exception as error:
            raise SelectFault("E050", detail=f"{dialect.name}: {_brief(error)}") from error


def _sample(name: str, spec: ParameterSpec) -> Dated:
    """Return a value of the parameter's own, or one of its unit, to try the select with."""
    latest = next((dated.value for dated in spec.values if dated.value is not None), None)
    samples: dict[str, Value | Decimal] = {"text": "-", "flag": True}
    chosen = samples.get(spec.unit, 1) if latest is None else latest
    value: Value = plain(chosen) if isinstance(chosen, Decimal) else chosen
    return Dated(name, spec.unit, SAMPLE_DAY, value, None, "decision")


def _brief(error: BaseException) -> str:
    """Say in one line what went wrong."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
