"""Show the rules with their last run, what keeps them from judging, and what drafts would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import current_app, request
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from app import clock
from app.base import Refused, registry
from app.crud.fields import ChoiceWidget, DayField, PlainText, Required, trimmed
from app.extensions import db
from app.models import Parameter, RuleRun, Violation
from app.parameters.clause import clauses_on
from app.parameters.draft import draft_of
from app.rules.judge import keys_of
from app.rules.obstacle import obstacles
from app.rules.record import Verdict
from app.rules.rule import Rule
from app.rules.sentence import message_of
from app.rules.simulate import Simulation, simulate
from app.views.pointer import noun_and_page, rows_of, table_of_type
from app.views.violation import ABSENT, SEVERITIES
from app.words import words

MOST_SHOWN = 200
BLANK = "…"


@dataclass(frozen=True, slots=True)
class RuleLine:
    """Show one rule: what it asks, and how its last run went."""

    rule: Rule
    clause: str
    sentence: str
    severity: str
    absent: str
    standing: int
    as_of: date | None = None
    finished_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class AffectedLine:
    """Show a subject that a draft would newly affect."""

    code: str
    place: str
    noun: str
    subject: str
    url: str | None
    said: str


class DraftForm(DynamicForm):
    """Ask for a draft value and the day as of which it is tried."""

    parameter = SelectField(_l("Parameter"), [Required()], choices=[], widget=ChoiceWidget())
    value = StringField(
        _l("Draft value"),
        [PlainText(), Length(max=100)],
        filters=[trimmed],
        description=_l("Left empty, the parameter ends on that day."),
        render_kw={"class": "form-control"},
    )
    since = DayField(_l("Value in force since"), [Required()])
    as_of = DayField(_l("Judging day"), [Required()])


class RuleView(BaseView):
    """Show what the rules are, how they fared, and try drafts on what is recorded."""

    route_base = "/rules"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> str:
        """Show every rule with its last run and what keeps it from judging."""
        today = clock.today()
        session = db.session()
        rules = sorted(registry.rules(), key=lambda rule: (rule.code, rule.key))
        return self.render_template(
            "rule/list.html",
            title=_("Rules"),
            lines=_rule_lines(rules, today),
            obstacles=obstacles(session, today, rules),
            may_simulate=_may("can_simulate", "RuleView"),
            may_list=_may("can_list", "ViolationView"),
        )

    @expose("/simulate")
    @has_access
    @permission_name("simulate")
    def simulate(self) -> str:
        """Show what a draft value would change on the records there are; nothing is written."""
        form = DraftForm(MultiDict(request.args) if request.args else None, meta={"csrf": False})
        units = _choose_parameters(form)
        found = _simulated(form, units) if request.args and form.validate() else None
        return self.render_template(
            "rule/simulate.html",
            title=_("Try a draft value"),
            form=form,
            found=found,
            affected=_affected(found.affected[:MOST_SHOWN]) if found else [],
        )


def _may(permission: str, view: str) -> bool:
    return bool(current_app.extensions["appbuilder"].sm.has_access(permission, view))


def _rule_lines(rules: Sequence[Rule], today: date) -> list[RuleLine]:
    clauses = clauses_on(db.session(), [rule.clause for rule in rules], today)
    runs = _last_runs()
    standing = _standing()
    return [
        RuleLine(
            rule,
            clause=str(clauses.get(rule.clause, rule.clause)),
            sentence=message_of(rule, BLANK, BLANK),
            severity=str(SEVERITIES[rule.severity]),
            absent=str(ABSENT[rule.absent]),
            standing=standing.get(rule.key, 0),
            as_of=run.as_of if run else None,
            finished_at=run.finished_at if run else None,
            error=run.error if run else None,
        )
        for rule in rules
        for run in [runs.get(rule.key)]
    ]


def _last_runs() -> dict[str, RuleRun]:
    newest = select(func.max(RuleRun.id)).group_by(RuleRun.rule_key)
    query = select(RuleRun).where(RuleRun.id.in_(newest))
    return {run.rule_key: run for run in db.session.scalars(query)}


def _standing() -> dict[str, int]:
    query = (
        select(Violation.rule_key, func.count(Violation.id))
        .where(Violation.resolved_on.is_(None))
        .group_by(Violation.rule_key)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _choose_parameters(form: DraftForm) -> Mapping[str, str]:
    """Offer the parameters that rules are judged by; return their units by key."""
    keys = sorted({key for rule in registry.rules() for key in keys_of(rule)})
    query = select(Parameter).where(Parameter.key.in_(keys)).order_by(Parameter.key)
    known = db.session.scalars(query).all()
    form.parameter.choices = [
        SelectChoice("", ""),
        *(SelectChoice(one.key, f"{words(one.title)} ({one.key})") for one in known),
    ]
    if form.as_of.data is None and not form.as_of.errors:
        form.as_of.data = clock.today()
    return {one.key: one.unit for one in known}


def _simulated(form: DraftForm, units: Mapping[str, str]) -> Simulation | None:
    """Judge with the draft; a value that cannot be one is told at its field."""
    key, since, as_of = form.parameter.data, form.since.data, form.as_of.data
    assert since is not None
    assert as_of is not None
    try:
        draft = draft_of(key, units[key], form.value.data or "", since)
    except Refused as refused:
        form.value.errors = [*form.value.errors, refused.message]
        return None
    return simulate(db.session(), as_of, [draft])


def _affected(verdicts: Sequence[Verdict]) -> list[AffectedLine]:
    """Return the lines of verdicts, their subjects read in one statement for each table."""
    codes = {rule.key: rule.code for rule in registry.rules()}
    keys: dict[str, set[int]] = {}
    for one in verdicts:
        keys.setdefault(_table_of(one), set()).add(one.subject_id)
    subjects = {table: rows_of(table, found) for table, found in keys.items()}
    lines = []
    for one in verdicts:
        noun, url = noun_and_page(_table_of(one), one.subject_id)
        subject = subjects[_table_of(one)].get(one.subject_id) if url else None
        lines.append(
            AffectedLine(
                codes.get(one.rule_key, one.rule_key),
                one.school or one.township,
                noun,
                "" if subject is None else str(subject),
                None if subject is None else url,
                one.message,
            )
        )
    return lines


def _table_of(verdict: Verdict) -> str:
    return table_of_type(verdict.subject_type, verdict.rule_key.partition(".")[0])


def add_views(appbuilder: AppBuilder) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(
        RuleView, "RuleView", label=_l("Rules"), icon="fa-gavel", category="Results"
    )
