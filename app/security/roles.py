"""Templates of all roles: what each may do, over which kind of scope, in which capacity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.base import Refused
from app.models import RoleScope
from app.words import declare

READ = r"can_(list|show|index|read|get|details|history|print|export)"
DO = r"can_(?!delete$).*|(?!can_|menu_).*"
"""Everything but deletion: steps, forms of their own and actions included."""
ALL = r".*"
ASK = rf"{READ}|can_add"
FOLLOW = rf"{READ}|can_(add|edit)"
"""Open and follow, but neither confirm nor close."""
ANSWER = r"can_(acknowledge|explain)"
"""Say something about a violation; only the bureau waives one."""
DECIDE = rf"{READ}|can_decide"
"""What a school asks for or says is decided on the next level: by the bureau's people."""

EVERYBODY = ("MyAccountView", "ActingView")
"""Views that every signed-in account has, even one without an appointment."""
DAILY = ("HomeView", "LookupView", "InboxView")
REFERENCE = (
    "CountyView", "TownshipView", "SchoolYearView", "SemesterView", "CalendarDayView",
    "PolicyDocumentView", "ClauseView", "ParameterView", "ParameterValueView", "ChecklistView",
    "ChecklistVersionView", "ChecklistItemView", "CodeView", "ChildStatusView",
)  # fmt: skip
SCHOOLS = ("SchoolView", "SchoolClassView", "LiaisonContactView", "CalendarExceptionView")
OF_SCHOOL = (
    "SchoolClassView", "CalendarExceptionView", "LiaisonContactView", "GuardianView",
    "ChildGroupView",
)  # fmt: skip
"""What a school keeps by itself; an unreferenced slip may also be deleted."""
STAFF = ("PersonView", "AppointmentView", "LiaisonAssignmentView")
CHILDREN = (
    "ChildView", "EnrolmentView", "StatusEventView", "GuardianView", "ChildGroupView",
    "PromotionView", "TransferView", "ArrivalView", "EnrolmentProblemView",
)  # fmt: skip
LEDGERS = ("LedgerEntryView",)
VISITS = ("VisitView", "VisitParticipantView")
ATTENDANCE = ("AttendanceReportView", "AbsenceView", "LeaveView")
LATE = ("LateEntryView",)
LOOP = (
    "FindingView", "FeedbackView", "FindingStepView", "FindingReviewView", "ReturnVisitView",
)  # fmt: skip
EXCUSES = ("ExcuseView",)
"""Read by all who read what is due; who asks and who decides follows from the inspection types."""
CHECKS = ("VisitCheckView",)
"""Whether an inspection took place: the school says that nobody came, the bureau decides."""
RESULTS = ("CoverageView", "ObligationView", "ViolationView")
RULES = ("RuleView",)
DUES = ("DueItemView", "ReminderView")
REMIND = rf"{READ}|can_remind"
EVIDENCE = ("EvidenceFileView", "EvidenceView")
BULLETINS = ("BulletinView",)
IMPORTS = ("ImportView",)
"""Opens the page; what may be imported follows from the rights on the rows' own screens."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Permissions, as a pattern over FAB's names, on one view."""

    permission: str
    view: str


@dataclass(frozen=True, slots=True)
class RoleTemplate:
    """A role that people can be appointed to."""

    key: str
    title: str
    scope_kind: str
    capacity: str | None
    grants: tuple[Grant, ...]
    covers_points: bool = False
    """Whether teaching points that check with the school lie in the scope too."""
    is_of_classes: bool = False
    """Whether the scope is the person's own classes only."""
    is_duty: bool = False
    """Whether this is one of the three administrators, no two of which one template may hold."""

    def allows(self, permission: str, view: str) -> bool:
        """Return whether the template grants a permission on a view; plugins grant more."""
        return any(
            grant.view == view and _pattern(grant.permission).fullmatch(permission)
            for grant in self.grants
        )


@lru_cache(maxsize=64)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _on(permission: str, *groups: tuple[str, ...]) -> Iterator[Grant]:
    return (Grant(permission, view) for group in groups for view in group)


def _inspector(*more: Grant) -> tuple[Grant, ...]:
    """Grant what everyone needs who inspects schools and follows his findings."""
    return (
        *_on(ALL, DAILY),
        *_on(ANSWER, ("ViolationView",)),
        *_on(READ, REFERENCE, SCHOOLS, STAFF, CHILDREN, LEDGERS, ATTENDANCE, RESULTS, EXCUSES),
        *_on(READ, ("InspectionView",), CHECKS),
        *_on(REMIND, DUES),
        *_on(DO, VISITS, LOOP, EVIDENCE, BULLETINS),
        *more,
    )


def _unit(*more: Grant) -> tuple[Grant, ...]:
    """Grant what an inspected school or township needs: its records and its side of the loop."""
    return (
        *_on(ALL, DAILY),
        *_on(ANSWER, ("ViolationView",)),
        *_on(READ, REFERENCE, SCHOOLS, STAFF, ATTENDANCE, ("InspectionView",)),
        *_on(READ, LATE, RESULTS, EXCUSES, CHECKS, DUES),
        *_on(DO, CHILDREN, LEDGERS, VISITS, LOOP, EVIDENCE, BULLETINS, IMPORTS),
        *more,
    )


COUNTY, TOWNSHIP, SCHOOL, LINKED = "county", "township", "schools", "linked"

_ALL_TEMPLATES = (
    RoleTemplate(
        "task_group",
        _l("Education task group"),
        COUNTY,
        "task_group",
        _inspector(*_on(DO, RESULTS, RULES, LEDGERS), *_on(DECIDE, CHECKS)),
    ),
    RoleTemplate(
        "supervision_office",
        _l("Supervision office"),
        COUNTY,
        "supervision_office",
        _inspector(
            *_on("can_reveal", ("ChildView",)),
            *_on("can_run", ("PromotionView",)),
            *_on("can_settle", ("EnrolmentProblemView",)),
            *_on(DO, RESULTS, RULES, LEDGERS, ("TownshipView", "PersonView")),
            *_on(ALL, SCHOOLS, ("LiaisonAssignmentView",)),
            *_on(DO, ("SchoolYearView", "SemesterView", "CalendarDayView"), IMPORTS),
            *_on(DECIDE, LATE, CHECKS),
        ),
    ),
    RoleTemplate(
        "liaison_leader",
        _l("Liaison leader of the education bureau"),
        LINKED,
        "liaison_leader",
        _inspector(*_on(DECIDE, LATE)),
    ),
    RoleTemplate(
        "liaison_department",
        _l("Liaison department, responsible inspector"),
        LINKED,
        "liaison_department",
        _inspector(*_on(DECIDE, LATE)),
    ),
    RoleTemplate(
        "township_leader",
        _l("Township leader"),
        TOWNSHIP,
        "township_leader",
        _inspector(*_on(DO, LEDGERS, ("LiaisonContactView",))),
    ),
    RoleTemplate(
        "township_cadre",
        _l("Township or village cadre"),
        TOWNSHIP,
        "township_cadre",
        _inspector(
            *_on(DO, ("ChildView", "GuardianView", "ChildGroupView")), *_on(FOLLOW, LEDGERS)
        ),
    ),
    RoleTemplate(
        "education_assistant",
        _l("Township education assistant"),
        TOWNSHIP,
        "education_assistant",
        _inspector(*_on(DO, CHILDREN, LEDGERS, ("LiaisonContactView",), IMPORTS)),
    ),
    RoleTemplate(
        "school_leader",
        _l("School leader"),
        SCHOOL,
        "school_leader",
        _unit(
            *_on(ALL, OF_SCHOOL),
            *_on(DO, ATTENDANCE, ("AttendanceEntryView",)),
            *_on(ASK, LATE, CHECKS),
            *_on(READ, ("TeachingPointView",)),
        ),
        covers_points=True,
    ),
    RoleTemplate(
        "class_teacher",
        _l("Class teacher"),
        SCHOOL,
        "class_teacher",
        (
            *_on(ALL, DAILY),
            *_on(READ, REFERENCE, SCHOOLS, CHILDREN, ATTENDANCE),
            *_on(FOLLOW, LEDGERS),
            *_on(DO, VISITS, EVIDENCE, ("AttendanceEntryView", "LeaveView")),
        ),
        is_of_classes=True,
    ),
    RoleTemplate(
        "school_clerk",
        _l("School clerk"),
        SCHOOL,
        None,
        _unit(
            *_on(ALL, OF_SCHOOL),
            *_on(DO, ATTENDANCE, ("AttendanceEntryView", "PersonView")),
            *_on(ASK, CHECKS),
        ),
    ),
    RoleTemplate(
        "township_clerk",
        _l("Township clerk"),
        TOWNSHIP,
        None,
        _unit(*_on(DO, ("LiaisonContactView", "PersonView"))),
    ),
    RoleTemplate(
        "system_administrator",
        _l("System administrator"),
        COUNTY,
        None,
        (
            *_on(
                ALL,
                DAILY,
                REFERENCE,
                ("PluginView", "RuleRunView", "JobView", "DigestView"),
                IMPORTS,
            ),
            *_on(ALL, SCHOOLS),
            *_on(READ, STAFF, RULES),
        ),
        is_duty=True,
    ),
    RoleTemplate(
        "security_administrator",
        _l("Security administrator"),
        COUNTY,
        None,
        (
            *_on(ALL, DAILY, ("AccountView", "RoleScopeView")),
            *_on(DO, ("PersonView", "AppointmentView")),
            *_on(READ, ("LiaisonAssignmentView", "TownshipView", "SchoolView")),
        ),
        is_duty=True,
    ),
    RoleTemplate(
        "audit_administrator",
        _l("Audit administrator"),
        COUNTY,
        None,
        (*_on(ALL, ("HomeView",)), *_on(READ, ("ChangeView",))),
        is_duty=True,
    ),
)
TEMPLATES: Mapping[str, RoleTemplate] = MappingProxyType({one.key: one for one in _ALL_TEMPLATES})
"""Every template by its key, in the order of the screens."""
ROLES: Mapping[str, Any] = MappingProxyType({one.key: one.title for one in _ALL_TEMPLATES})
CAPACITIES: Mapping[str, Any] = MappingProxyType(
    {one.capacity: one.title for one in _ALL_TEMPLATES if one.capacity}
)
"""The capacities in which people inspect, with their titles."""
LIAISON_CAPACITIES: Mapping[str, Any] = MappingProxyType(
    {
        one.capacity: one.title
        for one in _ALL_TEMPLATES
        if one.capacity and one.scope_kind == "linked"
    }
)
declare("role", lambda key: TEMPLATES[key].title if key in TEMPLATES else None)


def template_of(key: str) -> RoleTemplate:
    """Return the template of a key; raise KeyError where there is none."""
    return TEMPLATES[key]


def title_of(key: str) -> str:
    """Return the translated title of a template, or the key of one that is gone."""
    template = TEMPLATES.get(key)
    return str(template.title) if template else key


def role_name(key: str, place: str | None = None) -> str:
    """Return the name of the Flask-AppBuilder role of a template in a township."""
    return f"{key}@{place}" if place else key


def role_for(
    session: Session, key: str, township_id: int | None = None, place: str | None = None
) -> Role:
    """Return the role of a template and township, made with its scope row where it is missing."""
    if key not in TEMPLATES:
        raise Refused(f"{key}: {', '.join(TEMPLATES)}")
    held = session.scalar(
        select(Role)
        .join(RoleScope, RoleScope.role_id == Role.id)
        .where(RoleScope.template == key, RoleScope.township_id.is_not_distinct_from(township_id))
    )
    if held is not None:
        return held
    name = role_name(key, place)
    role = session.scalar(select(Role).where(Role.name == name)) or Role(name=name)
    session.add(role)
    session.flush()
    session.add(RoleScope(role_id=role.id, template=key, township_id=township_id))
    session.flush()
    return role


def sync(session: Session) -> None:
    """Make one role for each template; those of single townships are configured by hand."""
    for key in TEMPLATES:
        role_for(session, key)
