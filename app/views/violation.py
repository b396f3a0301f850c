"""Show what the rules found, why, and what people say about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import g
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import select

from app.base import registry
from app.crud.base import ReadOnlyView
from app.crud.interface import BureauInterface
from app.extensions import db
from app.models import Child, Parameter, Violation, ViolationState
from app.parameters.clause import clause_on
from app.rules.account import Account, account_of
from app.rules.rule import Rule
from app.rules.sentence import message_of
from app.security import audit
from app.views.loop import StepView
from app.views.pointer import noun_and_page, row_of, table_of_type
from app.views.violation_form import FORMS, ViolationForm
from app.words import words
from app.workflow import violation as steps

SEVERITIES = {"violation": _l("Violation"), "warning": _l("Warning")}
ABSENT = {
    "skip": _l("Where data is missing, nothing is judged"),
    "violation": _l("Missing data counts as a violation"),
    "unknown": _l("Where data is missing, the verdict stays open"),
}
TONES: Mapping[str, str] = {
    ViolationState.OPEN: "tone-danger",
    ViolationState.ACKNOWLEDGED: "tone-warning",
    ViolationState.EXPLAINED: "tone-info",
    ViolationState.RESOLVED: "tone-success",
}


class RuleCodes(Mapping[str, str]):
    """Name the codes of the rules that serve, as the search asks for them."""

    def __getitem__(self, code: str) -> str:
        """Return the code itself: it is what people call a rule."""
        if all(rule.code != code for rule in registry.rules()):
            raise KeyError(code)
        return code

    def __iter__(self) -> Iterator[str]:
        """Yield the codes in order."""
        return iter(sorted({rule.code for rule in registry.rules()}))

    def __len__(self) -> int:
        """Return how many codes there are."""
        return len({rule.code for rule in registry.rules()})


class ViolationInterface(BureauInterface):
    """Show what was found in the reader's language."""

    def get_values(self, lst: Sequence[Any], list_columns: list[str]) -> Iterator[dict[str, Any]]:
        """Yield the values of the list's columns."""
        rules = {rule.key: rule for rule in registry.rules()}
        for row, shown in zip(lst, super().get_values(lst, list_columns), strict=True):
            if "message" in shown and row.rule_key in rules:
                shown["message"] = message_of(rules[row.rule_key], row.observed, row.required)
            yield shown


def state_badge(state: str, until: date | None = None) -> Markup:
    """Return in words and colour where people stand with a violation."""
    said = steps.STATES.get(state, state)
    if state == ViolationState.WAIVED and until is not None:
        said = _("Waived until %(day)s", day=until.isoformat())
    return Markup('<span class="badge-soft {}">{}</span>').format(TONES.get(state, ""), str(said))


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """Show a record that a verdict rests on."""

    day: date | None
    noun: str
    detail: str | None
    url: str | None


class ViolationView(StepView, ReadOnlyView):
    """Show what the rules found; only a rule resolves it."""

    datamodel = BureauInterface(Violation)
    noun = _l("Violation")
    list_title = _l("Violations and warnings")
    list_columns = [
        "code", "severity", "state", "township", "school", "message", "first_seen", "resolved_on",
    ]  # fmt: skip
    show_columns = ["code", "township", "school", "steps"]
    search_columns = [
        "code", "severity", "state", "township", "school", "period_start", "first_seen",
        "resolved_on",
    ]  # fmt: skip
    base_order = ("first_seen", "desc")
    show_template = "violation/show.html"
    choices_columns = {"severity": SEVERITIES, "state": steps.STATES, "code": RuleCodes()}
    formatters_columns = {"state": state_badge}
    label_columns = {
        "code": _l("Rule"),
        "severity": _l("Severity"),
        "state": _l("State"),
        "message": _l("What was found"),
        "period_start": _l("Period from"),
        "first_seen": _l("First seen"),
        "resolved_on": _l("Resolved on"),
    }

    def _take_model(self, datamodel: Any) -> None:
        self.datamodel = ViolationInterface(datamodel.obj, datamodel._session, self.choices_columns)

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """Show a violation with its evidence and what may be said about it."""
        violation = self.row(pk, self.show_columns)
        if violation.subject_type == Child.__tablename__:
            audit.record("read", table=Child.__tablename__, row_id=violation.subject_id)
        self.update_redirect()
        return self.page_of(violation)

    @expose("/acknowledge/<pk>", methods=["POST"])
    @has_access
    @permission_name("acknowledge")
    def acknowledge(self, pk: str) -> Any:
        """Take note of a violation."""
        return self._step(pk, "acknowledge")

    @expose("/explain/<pk>", methods=["POST"])
    @has_access
    @permission_name("explain")
    def explain(self, pk: str) -> Any:
        """Explain a violation."""
        return self._step(pk, "explain")

    @expose("/waive/<pk>", methods=["POST"])
    @has_access
    @permission_name("waive")
    def waive(self, pk: str) -> Any:
        """Waive a violation until a day."""
        return self._step(pk, "waive")

    def _step(self, pk: str, key: str) -> Any:
        kind = next(form for form in FORMS if form.key == key)
        g.violation_form = kind(prefix=f"{key}-")
        return self.take(self.row(pk, self.show_columns), g.violation_form, self._taken)

    def _taken(self, violation: Violation) -> str:
        form: ViolationForm = g.violation_form
        until = form.until.data if form.until is not None else None
        note = form.note.data or None
        hand = self.hand()
        steps.take(db.session(), violation, form.state, hand, note=note, until=until)
        return _("Written down.")

    def page_of(self, row: Violation, sent: Any | None = None) -> Any:
        """Return the page of a violation, with the form that came back among those offered."""
        account = account_of(db.session(), row)
        plugin = row.rule_key.partition(".")[0]
        table = table_of_type(row.subject_type, plugin)
        subject = row_of(table, row.subject_id)
        noun, url = noun_and_page(table, row.subject_id)
        return self.render_template(
            self.show_template,
            title=_("%(rule)s: %(place)s", rule=row.code, place=row.school or row.township),
            violation=row,
            state=state_badge(row.state, row.waived_until),
            severity=SEVERITIES.get(row.severity, row.severity),
            account=account,
            absent=_absent_of(account.rule),
            clause=clause_on(db.session(), row.clause_key, row.period_start),
            parameters=_parameters_of(account),
            subject_noun=noun,
            subject=subject,
            subject_url=url if subject is not None else None,
            evidence_lines=list(_lines(account, plugin)),
            step_titles=steps.TAKEN,
            forms=list(self._forms(row, sent)),
            pk=row.id,
        )

    def _forms(self, row: Violation, sent: Any | None) -> Iterator[Any]:
        """Yield the forms that the reader may send, the one that came back as it was typed."""
        for form in FORMS:
            if isinstance(sent, form):
                yield sent
            elif self._may(form, row):
                yield form(formdata=None, prefix=f"{form.key}-")

    def _may(self, form: type[ViolationForm], row: Violation) -> bool:
        allowed = self.appbuilder.sm.has_access(f"can_{form.key}", self.class_permission_name)
        if not allowed or steps.refusal_of(row, form.state) is not None:
            return False
        return form.state is not ViolationState.WAIVED or steps.may_waive(row, self.hand())


def _absent_of(rule: Rule | None) -> str:
    return str(ABSENT[rule.absent]) if rule is not None else ""


def _parameters_of(account: Account) -> list[tuple[str, str, str]]:
    """Return title, key and value of each parameter that the verdict rests on."""
    keys = account.parameters
    if not keys:
        return []
    named = select(Parameter.key, Parameter.title).where(Parameter.key.in_(sorted(keys)))
    titles = {row[0]: words(row[1]) for row in db.session.execute(named)}
    return [(titles.get(key, key), key, value) for key, value in keys.items()]


def _lines(account: Account, plugin: str) -> Iterator[EvidenceLine]:
    for record in account.records:
        table = table_of_type(record.record_type, plugin)
        noun, url = noun_and_page(table, record.record_id)
        yield EvidenceLine(record.day, noun, record.detail, url)
