"""The core's models: nouns that outlive any policy."""

from __future__ import annotations

from app.models.calendar import CalendarDay, CalendarException, SchoolYear, Semester
from app.models.change import Change
from app.models.checklist import (
    Checklist,
    ChecklistChoice,
    ChecklistItem,
    ChecklistSection,
    ChecklistVersion,
)
from app.models.child import (
    Child,
    ChildGroup,
    ChildStatus,
    ChildStatusStep,
    Code,
    Enrolment,
    Guardian,
    StatusEvent,
)
from app.models.enrolment_problem import EnrolmentProblem
from app.models.evidence import EvidenceFile, EvidenceSet
from app.models.excuse import Excuse
from app.models.finding import (
    FEEDBACK_TITLES,
    STEP_TITLES,
    Feedback,
    Finding,
    FindingReview,
    FindingState,
    FindingStep,
    ReturnVisit,
    ReviewOutcome,
)
from app.models.import_batch import ImportBatch, ImportFault, ImportHeader, ImportRow
from app.models.inspection import (
    Absence,
    Answer,
    AnswerChild,
    AttendanceReport,
    ClassLine,
    Inspection,
    InspectionParticipant,
    InspectionState,
    Verdict,
)
from app.models.job import Job
from app.models.late_entry import LateEntry
from app.models.leave import Leave
from app.models.ledger import LedgerConfirmation, LedgerEntry
from app.models.notification import Digest, DigestState, DueItem, Notification, Reminder
from app.models.obligation import Obligation
from app.models.organization import (
    GRADES,
    ClassGrade,
    County,
    DailyMode,
    LiaisonContact,
    School,
    SchoolClass,
    SchoolKind,
    Township,
)
from app.models.plugin import PageFailure, PluginState
from app.models.policy import Clause, Parameter, ParameterValue, PolicyDocument
from app.models.promotion import Promotion, PromotionChild, PromotionClass
from app.models.request import RequestState
from app.models.staff import (
    Account,
    Appointment,
    AppointmentSchool,
    LiaisonAssignment,
    LoginAddress,
    PermissionVersion,
    Person,
    RoleScope,
    SubmitToken,
)
from app.models.transfer import Transfer
from app.models.violation import (
    LONGEST_PARAMETERS,
    RuleRun,
    Violation,
    ViolationState,
    ViolationStep,
)
from app.models.visit import Visit, VisitParticipant
from app.models.visit_check import VisitCheck

__all__ = [
    "FEEDBACK_TITLES",
    "GRADES",
    "LONGEST_PARAMETERS",
    "STEP_TITLES",
    "Absence",
    "Account",
    "Answer",
    "AnswerChild",
    "Appointment",
    "AppointmentSchool",
    "AttendanceReport",
    "CalendarDay",
    "CalendarException",
    "Change",
    "Checklist",
    "ChecklistChoice",
    "ChecklistItem",
    "ChecklistSection",
    "ChecklistVersion",
    "Child",
    "ChildGroup",
    "ChildStatus",
    "ChildStatusStep",
    "ClassGrade",
    "ClassLine",
    "Clause",
    "Code",
    "County",
    "DailyMode",
    "Digest",
    "DigestState",
    "DueItem",
    "Enrolment",
    "EnrolmentProblem",
    "EvidenceFile",
    "EvidenceSet",
    "Excuse",
    "Feedback",
    "Finding",
    "FindingReview",
    "FindingState",
    "FindingStep",
    "Guardian",
    "ImportBatch",
    "ImportFault",
    "ImportHeader",
    "ImportRow",
    "Inspection",
    "InspectionParticipant",
    "InspectionState",
    "Job",
    "LateEntry",
    "Leave",
    "LedgerConfirmation",
    "LedgerEntry",
    "LiaisonAssignment",
    "LiaisonContact",
    "LoginAddress",
    "Notification",
    "Obligation",
    "PageFailure",
    "Parameter",
    "ParameterValue",
    "PermissionVersion",
    "Person",
    "PluginState",
    "PolicyDocument",
    "Promotion",
    "PromotionChild",
    "PromotionClass",
    "Reminder",
    "RequestState",
    "ReturnVisit",
    "ReviewOutcome",
    "RoleScope",
    "RuleRun",
    "School",
    "SchoolClass",
    "SchoolKind",
    "SchoolYear",
    "Semester",
    "StatusEvent",
    "SubmitToken",
    "Township",
    "Transfer",
    "Verdict",
    "Violation",
    "ViolationState",
    "ViolationStep",
    "Visit",
    "VisitCheck",
    "VisitParticipant",
]
