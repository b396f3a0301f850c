"""Show one child with all that is known of him, reveal his numbers, print his file 一生一案."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort, current_app, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import permission_name
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import StringField
from wtforms.validators import Length

from app import clock
from app.crud.fab import Mixin
from app.crud.fields import PlainText, Required, trimmed
from app.crud.interface import key_of
from app.crud.masking import masked
from app.crud.panel import Due, PanelContent, ShownPanel, panels_of
from app.crud.reminders import dues_of
from app.extensions import db
from app.models import Child, ChildGroup, Guardian, StatusEvent
from app.security import audit
from app.views.child_label import ID_KINDS, LABELS, SEXES
from app.views.child_panel import CORE_PANELS
from app.workflow.child import age_on

LONGEST_PURPOSE = 200


class RevealForm(DynamicForm):
    """Ask for what the numbers of a child are needed."""

    purpose = StringField(
        _l("Purpose"),
        description=_l("It is kept in the audit trail with your name and the time."),
        validators=[Required(), PlainText(), Length(min=2, max=LONGEST_PURPOSE)],
        filters=[trimmed],
        render_kw={"class": "form-control", "autocomplete": "off"},
    )


@dataclass(frozen=True, slots=True)
class Section:
    """A panel on the page, with the ways to its whole list and to a new record."""

    key: str
    title: Any
    content: PanelContent
    list_url: str | None = None
    add_url: str | None = None


@dataclass(frozen=True, slots=True)
class DueLine:
    """A next due thing, and by how many days it lies ahead or is over."""

    due: Due
    days: int


class ChildPage(Mixin):
    """The page of one child and the paper that is printed from it, both from the same panels."""

    appbuilder: Any
    show_template = "child/show.html"

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """Show a child, what is due next, and every panel that the reader may open."""
        child = child_of(pk)
        self.update_redirect()
        return self.page_of(child, RevealForm(formdata=None))

    @expose("/reveal/<pk>", methods=["POST"])
    @has_access
    @permission_name("reveal")
    def reveal(self, pk: str) -> Any:
        """Show the page once with the numbers in full, for a purpose that the trail keeps."""
        child, form = child_of(pk), RevealForm()
        is_revealed = form.validate()
        if is_revealed:
            audit.record("reveal", table="child", row_id=child.id, note=form.purpose.data)
        return self.page_of(child, form, is_revealed=is_revealed)

    @expose("/print/<pk>", methods=["GET"])
    @has_access
    @permission_name("print")
    def print(self, pk: str) -> Any:
        """Show the file of a child alone, ready to print and sign."""
        child = child_of(pk)
        audit.record("print", table="child", row_id=child.id)
        # What is printed and signed is in the product's own language, whatever the reader's is.
        language = current_app.config["BABEL_DEFAULT_LOCALE"]
        with force_locale(language):
            title = _("Individual case file")
            paper = self.render_template(
                "child/paper.html", language=language, **self._facts(child), is_revealed=False
            )
        return self.render_template("child/print.html", title=title, paper=paper, pk=child.id)

    def page_of(self, child: Child, form: RevealForm, *, is_revealed: bool = False) -> Any:
        """Return the page of a child and record the reading; numbers are masked by default."""
        self.shown(child)
        return self.render_template(
            self.show_template,
            title=child.name,
            form=form,
            is_revealed=is_revealed,
            derived=dues_of("ChildView", child.id),
            pk=child.id,
            **self._facts(child),
        )

    def _facts(self, child: Child) -> dict[str, Any]:
        """Return what the page and the paper show."""
        today = clock.today()
        panels = panels_of(db.session(), child, CORE_PANELS)
        return {
            "child": child,
            "labels": LABELS,
            "sex": SEXES.get(child.sex or "", child.sex),
            "id_kind": ID_KINDS.get(child.id_kind, child.id_kind),
            "age": age_on(child.born_on, today),
            "masked": masked,
            "events": _events(child),
            "dues": _dues(panels, today),
            "sections": [self._section(panel, child) for panel in panels],
            "today": today,
        }

    def _section(self, panel: ShownPanel, child: Child) -> Section:
        """Add the links of a panel's own screen, where it can be asked for one child."""
        view = next(
            (one for one in self.appbuilder.baseviews if type(one).__name__ == panel.view), None
        )
        list_url = add_url = None
        if "child" in (getattr(view, "search_columns", None) or ()):
            list_url = url_for(f"{panel.view}.list", _flt_0_child=child.id)
        if "child" in (getattr(view, "add_columns", None) or ()):
            is_open = self.appbuilder.sm.has_access("can_add", panel.view)
            add_url = url_for(f"{panel.view}.add", _flt_0_child=child.id) if is_open else None
        return Section(panel.key, panel.title, panel.content, list_url, add_url)


def child_of(pk: Any) -> Child:
    """Return a child with all that his page's head shows, in one statement; 404 without him."""
    query = (
        select(Child)
        .where(Child.id == (key_of(pk) or 0))
        .options(
            joinedload(Child.status),
            joinedload(Child.township),
            joinedload(Child.school),
            joinedload(Child.school_class),
            joinedload(Child.school_responsible),
            joinedload(Child.township_responsible),
            joinedload(Child.guardians).joinedload(Guardian.relation),
            joinedload(Child.groups).joinedload(ChildGroup.group),
        )
    )
    child = db.session.scalars(query).unique().one_or_none()
    if child is None:
        abort(404)
    return child


def _events(child: Child) -> Sequence[StatusEvent]:
    """Return the changes of a child's status, the first one first."""
    query = (
        select(StatusEvent)
        .where(StatusEvent.child_id == child.id)
        .options(joinedload(StatusEvent.status))
        .order_by(StatusEvent.happened_on, StatusEvent.id)
    )
    return db.session.scalars(query).all()


def _dues(panels: Iterable[ShownPanel], today: date) -> list[DueLine]:
    """Return what all panels say is due, by day."""
    found = [due for panel in panels for due in panel.content.due]
    found.sort(key=lambda due: (due.on, due.text))
    return [DueLine(due, (due.on - today).days) for due in found]
