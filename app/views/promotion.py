"""Show what a promotion 升级 of all classes would do, do it in one step, and take it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import AppBuilder, expose, has_access
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from app import clock
from app.base import Refused
from app.crud.base import ReadOnlyView
from app.crud.fields import LookupField
from app.crud.interface import BureauInterface
from app.crud.once import earlier_result, give_token, keep_token
from app.crud.panel import PanelRow
from app.extensions import db
from app.models import Promotion, School
from app.workflow.promote import promote, undo
from app.workflow.promotion import ClassPlan, Plan, plan


class PromotionForm(DynamicForm):
    """Name the school whose classes are promoted; none means all in the reader's scope."""

    submit_token = HiddenField()
    school = LookupField(
        _l("School"), model=School, description=_l("Leave empty to promote all your schools.")
    )


class UndoForm(DynamicForm):
    """Take a promotion back: there is nothing to fill in."""

    submit_token = HiddenField()


class PromotionView(ReadOnlyView):
    """List the promotions; plan, do and undo one."""

    datamodel = BureauInterface(Promotion)
    route_base = "/promotion"
    noun = _l("Promotion")
    list_title = _l("Promotion of classes")
    list_columns = [
        "happened_on", "from_year", "to_year", "township", "school", "moved", "graduated", "left",
        "undone_at",
    ]  # fmt: skip
    show_columns = [
        "happened_on", "from_year", "to_year", "township", "school", "moved", "graduated", "left",
        "created_at", "undone_at",
    ]  # fmt: skip
    search_columns = ["happened_on", "township", "school"]
    base_order = ("id", "desc")
    list_template = "promotion/list.html"
    show_template = "promotion/show.html"
    label_columns = {
        "happened_on": _l("First day in the new classes"),
        "from_year": _l("From the school year"),
        "to_year": _l("To the school year"),
        "moved": _l("Go up"),
        "graduated": _l("Graduate"),
        "left": _l("Go on to another school"),
        "created_at": _l("Done at"),
        "undone_at": _l("Taken back at"),
    }

    @expose("/plan", methods=["GET", "POST"])
    @has_access
    @permission_name("run")
    def plan(self) -> Any:
        """Show the preview of all schools or of a chosen one; do what it shows."""
        form = PromotionForm() if request.method == "POST" else PromotionForm(request.args)
        if request.method == "POST":
            done = self._once(
                form, url_for(f"{self.endpoint}.list"), lambda: _run(form.school.data)
            )
            if done is not None:
                return done
        give_token(form)
        facts = _preview(form.school.data)
        return self.render_template(
            "promotion/plan.html", title=self.list_title, form=form, **facts
        )

    @expose("/undo/<pk>", methods=["POST"])
    @has_access
    @permission_name("run")
    def undo(self, pk: str) -> Any:
        """Take a promotion back while nothing rests on it."""
        done, shown = self.row(pk), url_for(f"{self.endpoint}.show", pk=pk)

        def take_back() -> str:
            undo(db.session(), done)
            return _("The promotion was taken back.")

        return self._once(UndoForm(), shown, take_back) or redirect(shown)

    def _once(self, form: Any, url: str, act: Callable[[], str]) -> Any:
        """Act once and lead on; None where the form is shown again."""
        before = earlier_result(form, url)
        if before is not None:
            return before
        if not form.validate():
            return None
        try:
            done = act()
            keep_token(form, url)
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(refusal.message, "danger")
            return None
        flash(done, "success")
        return redirect(url)

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Add the form of the undo to the page of a promotion."""
        if template == self.show_template:
            form = UndoForm(formdata=None)
            give_token(form)
            kwargs["form"] = form
        return super().render_template(template, **kwargs)


def _run(school: School | None) -> str:
    done = promote(db.session(), school)
    return _(
        "Promoted: %(moved)s children went up, %(graduated)s graduated, %(left)s go on elsewhere.",
        moved=done.moved,
        graduated=done.graduated,
        left=done.left,
    )


def _preview(school: School | None) -> dict[str, Any]:
    """Return the plan, or why there is none."""
    try:
        planned = plan(db.session(), None if school is None else [school.id])
    except Refused as refusal:
        return {"plan": None, "reason": refusal.message, "rows": []}
    return {"plan": planned, "reason": _hindrance(planned), "rows": list(_rows(planned))}


def _hindrance(planned: Plan) -> str:
    if not planned.classes:
        return _("No child sits in a class of %(year)s any more.", year=planned.from_year)
    if planned.day > clock.today():
        return _("The next school year begins on %(day)s only.", day=planned.day)
    return ""


def _rows(planned: Plan) -> Iterator[PanelRow]:
    """Yield a line for each class: from, to, children and what needs a look."""
    for one in planned.classes:
        yield PanelRow(
            [
                one.school.name,
                one.source.name,
                _becomes(one),
                _(", ").join(str(grade) for grade in one.grades),
                one.moving,
                one.staying,
                _remark(one),
            ]
        )


def _becomes(one: ClassPlan) -> str:
    if one.grades:
        return one.name
    return _("graduates") if one.ends else _("goes on to another school")


def _remark(one: ClassPlan) -> str:
    """Say what somebody has to look at by hand."""
    if one.staying:
        return _("The status of some children does not allow the step: decide on each.")
    if one.unknown:
        return _(
            "Multigrade class: enter the own grade of %(count)s children, or they all go up.",
            count=one.unknown,
        )
    if one.mixes:
        return _(
            "Multigrade class: %(count)s children have finished the last grade.",
            count=one.finishing,
        )
    if one.target is not None:
        return _("The class is there already and is joined.")
    return ""


def add_views(appbuilder: AppBuilder) -> None:
    """Add the promotions beside the children."""
    appbuilder.add_view(
        PromotionView,
        "PromotionView",
        label=PromotionView.list_title,
        icon="fa-stairs",
        category="Children",
        category_label=_l("Children"),
    )
