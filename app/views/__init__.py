"""Place the core's screens in the menu, one module for each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from flask_appbuilder import AppBuilder
from flask_babel import lazy_gettext as _l

from app.crud.lookup import LookupView
from app.views import (
    audit,
    calendar,
    checklist,
    child,
    child_history,
    code,
    ledger,
    obligation,
    organization,
    plugin,
    policy,
    staff,
    violation,
    visit,
)

OTHER_MODULES = (
    "inspection",
    "finding",
    "attendance",
    "late_entry",
    "teaching_point",
    "evidence",
    "coverage",
    "rule",
    "excuse",
    "visit_check",
    "bulletin",
    "promotion",
    "transfer",
    "enrolment_problem",
    "imports",
    "due_item",
    "inbox",
    "security",
)
"""Modules of this package that place their screens themselves."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the menu with its screens."""

    name: str
    label: Any
    icon: str
    views: Sequence[tuple[type[Any], str]]


GROUPS = (
    Group(
        "Children",
        _l("Children"),
        "fa-children",
        (
            (child.ChildView, "fa-child"),
            (ledger.LedgerEntryView, "fa-book"),
            (child_history.StatusEventView, "fa-timeline"),
            (child_history.EnrolmentView, "fa-id-card"),
            (child_history.ChildGroupView, "fa-hands-holding-child"),
            (child_history.GuardianView, "fa-people-roof"),
        ),
    ),
    Group(
        "Visits",
        _l("Visits"),
        "fa-house-user",
        (
            (visit.VisitView, "fa-house-user"),
            (visit.VisitParticipantView, "fa-users"),
        ),
    ),
    Group(
        "Results",
        _l("Inspections due and violations"),
        "fa-calendar-check",
        (
            (obligation.ObligationView, "fa-calendar-check"),
            (violation.ViolationView, "fa-triangle-exclamation"),
            (obligation.RuleRunView, "fa-gears"),
        ),
    ),
    Group(
        "Organization",
        _l("Organization"),
        "fa-school",
        (
            (organization.TownshipView, "fa-map-location-dot"),
            (organization.SchoolView, "fa-school"),
            (organization.SchoolClassView, "fa-chalkboard-user"),
            (organization.LiaisonContactView, "fa-address-book"),
            (organization.CountyView, "fa-landmark"),
        ),
    ),
    Group(
        "Staff",
        _l("Staff and liaison"),
        "fa-user-tie",
        (
            (staff.PersonView, "fa-user"),
            (staff.LiaisonAssignmentView, "fa-link"),
            (staff.AppointmentView, "fa-id-badge"),
        ),
    ),
    Group(
        "Calendar",
        _l("School calendar"),
        "fa-calendar-days",
        (
            (calendar.CalendarDayView, "fa-calendar-day"),
            (calendar.CalendarExceptionView, "fa-calendar-xmark"),
            (calendar.SemesterView, "fa-calendar-week"),
            (calendar.SchoolYearView, "fa-calendar"),
        ),
    ),
    Group(
        "Checklists",
        _l("Checklists"),
        "fa-list-check",
        (
            (checklist.ChecklistView, "fa-list-check"),
            (checklist.ChecklistVersionView, "fa-code-branch"),
            (checklist.ChecklistItemView, "fa-square-check"),
        ),
    ),
    Group(
        "Policy",
        _l("Policy and parameters"),
        "fa-scale-balanced",
        (
            (policy.PolicyDocumentView, "fa-file-lines"),
            (policy.ClauseView, "fa-paragraph"),
            (policy.ParameterView, "fa-sliders"),
            (policy.ParameterValueView, "fa-clock-rotate-left"),
            (code.ChildStatusView, "fa-signs-post"),
            (code.CodeView, "fa-tags"),
        ),
    ),
    Group(
        "Audit",
        _l("Audit and evidence"),
        "fa-shield-halved",
        (
            (audit.ChangeView, "fa-shield-halved"),
            (audit.EvidenceFileView, "fa-paperclip"),
        ),
    ),
)


def add_core_views(appbuilder: AppBuilder) -> None:
    """Add every screen of the core, each under its class name as the menu's permission."""
    appbuilder.add_view_no_menu(LookupView)
    for group in GROUPS:
        for view, icon in group.views:
            appbuilder.add_view(
                view,
                view.__name__,
                label=view.list_title,
                icon=icon,
                category=group.name,
                category_label=group.label,
                category_icon=group.icon,
            )
    for name in OTHER_MODULES:
        if find_spec(f"{__name__}.{name}") is not None:
            import_module(f"{__name__}.{name}").add_views(appbuilder)
    plugin.register(appbuilder)
