"""Keep the ledgers 台账 of children: open entries, what is due next, closing and confirmation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy import func, select
from wtforms import Form, SelectField
from wtforms.fields.choices import SelectChoice

from app import clock
from app.crud.fields import ChoiceWidget, Required
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.files.evidence import adopt, files_of
from app.models import LedgerConfirmation, LedgerEntry
from app.security import audit
from app.views.ledger_form import CloseEntryForm, ConfirmEntryForm
from app.views.loop import StepView
from app.workflow import ledger_step
from app.workflow.ledger import (
    LEVEL_TITLES,
    Ledger,
    LedgerTitles,
    basis_of,
    category_title,
    find_ledger,
    ledgers,
)
from app.workflow.ledger_step import Closing, next_level

TITLES = LedgerTitles()


@dataclass(frozen=True, slots=True)
class Tab:
    """Show one ledger over the list: its title, its open entries, the way to them."""

    title: str
    count: int
    url: str


class LedgerInterface(BureauInterface):
    """Show the category in words, and what is due or missing next."""

    def get_values(self, lst: Sequence[Any], list_columns: list[str]) -> Iterator[dict[str, Any]]:
        """Yield the values of the list's columns."""
        for entry, shown in zip(lst, super().get_values(lst, list_columns), strict=True):
            if "category" in shown:
                shown["category"] = category_title(entry)
            if "next_on" in shown:
                shown["next_on"] = next_of(entry)
            yield shown


def next_of(entry: LedgerEntry) -> Markup:
    """Return the day of the next action with a badge: overdue, missing, or closed."""
    badge = Markup(' <span class="badge-soft {}">{}</span>')
    if entry.closed_on is not None:
        return badge.format("tone-success", _("Closed on %(day)s", day=entry.closed_on.isoformat()))
    if entry.next_on is None:
        return badge.format("tone-warning", _("No next action yet"))
    days = (clock.today() - entry.next_on).days
    if days > 0:
        late = badge.format("tone-danger", _("%(days)s days overdue", days=days))
        return escape(entry.next_on.isoformat()) + late
    return escape(entry.next_on.isoformat())


def _ledger_choices() -> list[SelectChoice]:
    return [SelectChoice("", ""), *(SelectChoice(one.key, one.title) for one in ledgers())]


def _category_choices() -> list[SelectChoice]:
    """Return every category of every ledger; the form says which of them fits."""
    titles: dict[str, Any] = {}
    for ledger in ledgers():
        titles.update(ledger.categories)
    return [SelectChoice("", ""), *(SelectChoice(key, title) for key, title in titles.items())]


class LedgerEntryView(StepView):
    """List, open by hand, follow, confirm and close the entries of all ledgers."""

    datamodel = BureauInterface(LedgerEntry)
    route_base = "/ledger"
    noun = _l("Ledger entry")
    list_title = _l("Ledgers of children")
    list_columns = ["child", "ledger", "category", "school", "opened_on", "next_on"]
    show_columns = [
        "child", "ledger", "category", "township", "school", "opened_on", "since", "source",
        "opened_by", "reason", "next_action", "next_on", "school_responsible",
        "township_responsible", "note", "closed_on", "closing_reason", "closing_note", "closed_by",
    ]  # fmt: skip
    add_columns = [
        "child", "ledger", "category", "since", "reason", "next_action", "next_on",
        "school_responsible", "township_responsible", "note",
    ]  # fmt: skip
    edit_columns = add_columns[4:]
    search_columns = [
        "ledger", "category", "township", "school", "child", "opened_on", "next_on", "reason",
        "closed_on", "school_responsible", "township_responsible",
    ]  # fmt: skip
    base_order = ("opened_on", "desc")
    exclude_route_methods = {"delete"}
    list_template = "ledger/list.html"
    show_template = "ledger/show.html"
    choices_columns = {"ledger": TITLES}
    lookup_columns = {"reason": {"domain": "visit_reason"}}
    add_form_extra_fields = {
        "ledger": SelectField(
            _l("Ledger"), [Required()], choices=_ledger_choices, widget=ChoiceWidget()
        ),
        "category": SelectField(
            _l("Category"),
            choices=_category_choices,
            widget=ChoiceWidget(),
            description=_l("Only for ledgers that have categories."),
        ),
    }
    label_columns = {
        "ledger": _l("Ledger"),
        "category": _l("Category"),
        "opened_on": _l("Entered on"),
        "since": _l("Since"),
        "source": _l("Opened because of"),
        "opened_by": _l("Opened by"),
        "reason": _l("Reason"),
        "next_action": _l("Next action"),
        "next_on": _l("Next action on"),
        "school_responsible": _l("Responsible person at the school"),
        "township_responsible": _l("Responsible person at the township"),
        "closed_on": _l("Closed on"),
        "closing_reason": _l("Reason for the closing"),
        "closing_note": _l("Remark on the closing"),
        "closed_by": _l("Closed by"),
    }
    description_columns = {
        "since": _l("The first day of what the entry rests on."),
    }

    def _take_model(self, datamodel: Any) -> None:
        self.datamodel = LedgerInterface(datamodel.obj, datamodel._session, self.choices_columns)

    def check(self, form: Form, item: LedgerEntry | None) -> None:
        """Keep the category within its ledger, and the days in order."""
        if item is None:
            ledger = find_ledger(form.ledger.data)
            named = form.category.data or ""
            if ledger is None or (named and named not in ledger.categories):
                raise FieldRefused("category", _("This ledger does not have this category."))
            if not named and ledger.categories:
                raise FieldRefused("category", _("Choose the category of the entry."))
            if form.since.data > clock.today():
                raise FieldRefused("since", _("This day lies in the future."))

    def pre_add(self, item: LedgerEntry) -> None:
        """Note who opens the entry; take the child's responsible persons where none are named."""
        child = item.child
        item.opened_on = clock.today()
        item.opened_by_id = self.hand().person_id
        item.category = item.category or ""
        item.school_responsible_id = item.school_responsible_id or child.school_responsible_id
        item.township_responsible_id = item.township_responsible_id or child.township_responsible_id
        same = select(LedgerEntry.id).where(
            LedgerEntry.child_id == child.id,
            LedgerEntry.ledger == item.ledger,
            LedgerEntry.category == item.category,
            LedgerEntry.closed_on.is_(None),
        )
        if db.session.scalar(same.limit(1)) is not None:
            raise FieldRefused("child", _("The child has an open entry in this ledger already."))

    def pre_update(self, item: LedgerEntry) -> None:
        """Keep closed entries as they are."""
        if item.closed_on is not None:
            raise FieldRefused("note", _("This entry is closed already."))

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Add the tabs of the ledgers to the list."""
        if template == self.list_template:
            kwargs["tabs"] = self._tabs()
        return super().render_template(template, **kwargs)

    def _tabs(self) -> list[Tab]:
        counted = (
            select(LedgerEntry.ledger, func.count(LedgerEntry.id))
            .where(LedgerEntry.closed_on.is_(None))
            .group_by(LedgerEntry.ledger)
        )
        counts = {row[0]: row[1] for row in db.session.execute(counted)}
        return [
            Tab(str(ledger.title), counts.get(ledger.key, 0), self._url_of_ledger(ledger))
            for ledger in ledgers()
        ]

    def _url_of_ledger(self, ledger: Ledger) -> str:
        """Return the list of one ledger."""
        return url_for(f"{self.endpoint}.list", _flt_0_ledger=ledger.key)

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """Show an entry with its confirmations and what may be done next."""
        entry = self.row(pk, self.show_columns)
        audit.record("read", table="child", row_id=entry.child_id)
        self.update_redirect()
        return self.page_of(entry)

    @expose("/close/<pk>", methods=["POST"])
    @has_access
    @permission_name("close")
    def close(self, pk: str) -> Any:
        """Close an entry with reason and proof."""
        return self.take(self.row(pk, self.show_columns), _form(CloseEntryForm), self._close)

    @expose("/confirm/<pk>", methods=["POST"])
    @has_access
    @permission_name("confirm")
    def confirm(self, pk: str) -> Any:
        """Confirm an entry for the level of the acting office."""
        return self.take(self.row(pk, self.show_columns), _form(ConfirmEntryForm), self._confirm)

    def _close(self, entry: LedgerEntry) -> str:
        form = g.ledger_form
        session = db.session()
        set_id = adopt(session, entry, entry.evidence_set_id, form.evidence.staged_id)
        closing = Closing(form.reason.data, form.note.data, set_id)
        ledger_step.close(session, entry, self.hand(), closing)
        return _("The entry is closed.")

    def _confirm(self, entry: LedgerEntry) -> str:
        ledger_step.confirm(db.session(), entry, g.get("appointment"), g.ledger_form.note.data)
        return _("The entry is confirmed.")

    def page_of(self, row: LedgerEntry, sent: Any | None = None) -> Any:
        """Return the page of an entry, with the form that came back among those offered."""
        session = db.session()
        files = files_of(session, [row.evidence_set_id])
        return self.render_template(
            self.show_template,
            title=_("%(ledger)s: %(child)s", ledger=_title_of(row), child=row.child.name),
            entry=row,
            category=category_title(row),
            basis=basis_of(row),
            next_on=next_of(row),
            levels=_levels(row),
            advice=_advice_of(row),
            files=files.get(row.evidence_set_id, ()),
            forms=list(self._forms(row, sent)),
            pk=row.id,
            may_edit=row.closed_on is None and self._may("can_edit"),
        )

    def _forms(self, entry: LedgerEntry, sent: Any | None) -> Iterator[Any]:
        """Yield the forms that the reader may send, the one that came back as it was typed."""
        if entry.closed_on is not None:
            return
        acting = g.get("appointment")
        offers = {
            ConfirmEntryForm: self._may("can_confirm")
            and ledger_step.refusal_of_confirmation(entry, acting) is None,
            CloseEntryForm: self._may("can_close"),
        }
        for form, is_offered in offers.items():
            if isinstance(sent, form):
                yield sent
            elif is_offered:
                yield form(formdata=None, prefix=f"{form.key}-")

    def _may(self, permission: str) -> bool:
        return bool(self.appbuilder.sm.has_access(permission, self.class_permission_name))


def _form(kind: type[Any]) -> Any:
    """Return a form with what was sent, and keep it for the step."""
    g.ledger_form = kind(prefix=f"{kind.key}-")
    return g.ledger_form


def _title_of(entry: LedgerEntry) -> str:
    return str(TITLES.get(entry.ledger, entry.ledger))


def _advice_of(entry: LedgerEntry) -> str:
    ledger = find_ledger(entry.ledger)
    return str(ledger.advice) if ledger is not None else ""


def _levels(entry: LedgerEntry) -> list[tuple[str, LedgerConfirmation | None, bool]]:
    """Return the levels of an entry's ledger: title, confirmation, and whether it is next."""
    ledger = find_ledger(entry.ledger)
    done = {one.level: one for one in entry.confirmations}
    following = next_level(entry)
    return [
        (str(LEVEL_TITLES[level]), done.get(level), level == following)
        for level in (ledger.levels if ledger is not None else ())
    ]
