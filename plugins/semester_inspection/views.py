"""Plan the campaign of a semester, and follow how far it has come."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from flask import url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.kit import (
    BureauModelView,
    Derived,
    Page,
    _,
    _l,
    hookimpl,
    interface,
    today,
    workbook_answer,
)

from .drawing import draw, is_over, prepare
from .models import Campaign, CampaignSchool
from .progress import Covered, reason, schools_of, sheet_of, tallies, tally


class CampaignSchoolView(BureauModelView):
    """List the schools of campaigns."""

    datamodel = interface(CampaignSchool)
    noun = _l("School of a campaign")
    list_title = _l("Schools of campaigns")
    list_columns = ["campaign", "township", "school", "is_focus"]
    list_joins = ("campaign.semester",)
    show_columns = ["campaign", "township", "school", "is_focus"]
    add_columns: list[str] = []
    edit_columns: list[str] = []
    search_columns = ["campaign", "township", "school", "is_focus"]
    exclude_route_methods = {"add", "edit", "delete"}
    label_columns = {"campaign": _l("Campaign"), "is_focus": _l("Focus school")}


class CampaignView(BureauModelView):
    """Plan the campaign of a semester; its schools are drawn when it is stored."""

    datamodel = interface(Campaign)
    noun = _l("Campaign of a special inspection")
    list_title = _l("Campaigns of special inspections")
    list_columns = ["semester", "drawn_on", "sample_percent", "draw_seed"]
    show_columns = ["semester", "drawn_on", "sample_percent", "draw_seed", "note"]
    add_columns = ["semester", "note"]
    edit_columns = ["note"]
    search_columns = ["semester", "drawn_on"]
    base_order = ("drawn_on", "desc")
    exclude_route_methods = {"delete"}
    label_columns = {
        "semester": _l("Semester"),
        "drawn_on": _l("Drawn on"),
        "sample_percent": _l("Share of the other schools in percent"),
        "draw_seed": _l("Seed of the draw"),
    }
    description_columns = {
        "semester": _l(
            "All focus schools are inspected, and a sample of the others, which is drawn when you"
            " save. A semester has one campaign."
        ),
    }

    def pre_add(self, item: Campaign) -> None:
        """Give the campaign its seed, or refuse it."""
        prepare(self.datamodel.session, item, secrets.token_hex(8))

    def saved(self, item: Campaign, *, is_new: bool) -> None:
        """Draw the schools of a new campaign, in its transaction."""
        if is_new:
            draw(self.datamodel.session, item)

    def derived(self, item: Campaign) -> Sequence[Derived]:
        """Say how far the campaign has come, and which schools are to come."""
        schools = schools_of(self.datamodel.session, item)
        left = [one for one in schools if one.inspected_on is None]
        whole = tally(_("Schools inspected"), schools)
        tone = "success" if not left else "danger" if is_over(item, today()) else "info"
        listed = _("Print the schools")
        page = url_for("CampaignView.print", pk=item.id)
        to_come = [
            _("%(township)s %(school)s (%(reason)s)", township=one.township, school=one.school,
              reason=reason(one))
            for one in left
        ]  # fmt: skip
        return [
            Derived(
                _("How far it has come"), str(whole), tone, list(map(str, tallies(schools))),
                [(listed, page)],
            ),
            Derived(_("Schools to come"), str(len(left)), reasons=to_come, links=self._next(left)),
        ]  # fmt: skip

    def _next(self, left: Sequence[Covered]) -> list[tuple[str, str]]:
        """Lead to the form of the first school to come, for who fills it."""
        if not left or not self.appbuilder.sm.has_access("can_add", "SemesterInspection"):
            return []
        address = url_for("SemesterInspectionView.add", school=left[0].school_id)
        return [(_("Inspect %(school)s", school=left[0].school), address)]

    @expose("/print/<pk>")
    @has_access
    @permission_name("show")
    def print(self, pk: str) -> Any:
        """Hand out the schools of a campaign with the days of their inspections."""
        item: Campaign = self.row(pk)
        schools = schools_of(self.datamodel.session, item)
        name = _("Campaign of the special inspection, %(semester)s", semester=item)
        return workbook_answer(name, [sheet_of(item, schools)], str(item))


@hookimpl
def views() -> Iterable[Page]:
    """Return the screens."""
    return [
        Page(CampaignView, CampaignView.list_title, "Inspections", "fa-flag"),
        Page(CampaignSchoolView, CampaignSchoolView.list_title, "", "fa-school-flag"),
    ]
