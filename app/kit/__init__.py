"""Everything that a plugin may import, and nothing else of the product is promised to stay."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.base import Audited, CountyScoped, Refused, Scoped, Shared, actor, plugin_base
from app.cadence.calendar import working_days_after
from app.cadence.coverage import capacity_title
from app.cadence.due import obligations_due
from app.cadence.period import (
    Terms,
    load_terms,
    load_years,
    months_of_years,
    school_months,
)
from app.cadence.school_day import class_days
from app.cadence.serving import took_place
from app.checklists.kind import FieldContext, FieldKind, Part, Row
from app.clock import now, today
from app.columns import Encrypted, UtcDateTime, blind_indexes
from app.crud.base import BureauModelView
from app.crud.derived import Derived
from app.crud.download import workbook_answer
from app.crud.fields import DayField, LookupField, LookupManyField, PlainText, trimmed
from app.crud.once import earlier_result, give_token, keep_token
from app.crud.panel import Due, Panel, PanelContent, PanelRow
from app.crud.refusal import FieldRefused, incident_text
from app.days import DaysAfter, DaysBetween, MonthsAfter, earlier, later
from app.documents.bulletin import Bulletin, Column, Section
from app.files.double import same_originals
from app.files.field import EvidenceField
from app.files.kept import Kept, KeptFileField, content_of, forget
from app.imports.core.child import CHILD_COLUMN, CHILD_NAME, by_code, check_names
from app.imports.entity import Column as ImportColumn
from app.imports.entity import Entity, Items, Key, Lookup
from app.imports.entity import Row as ImportRow
from app.imports.listing import add_rows, check_list, read_list
from app.imports.value import number_is_sound
from app.jobs import JobState, Work, acting
from app.jobs import handler as job_handler
from app.jobs import state_of as job_state
from app.jobs import submit as submit_job
from app.kit.hook import hookimpl
from app.kit.inspection import inspection_types
from app.kit.page import Grant, Page, interface
from app.models import (
    Absence,
    Answer,
    AnswerChild,
    AttendanceReport,
    CalendarDay,
    CalendarException,
    ChecklistItem,
    ChecklistSection,
    ChecklistVersion,
    Child,
    ChildGroup,
    ChildStatus,
    ClassGrade,
    ClassLine,
    Clause,
    Code,
    County,
    DueItem,
    Enrolment,
    EvidenceFile,
    EvidenceSet,
    Finding,
    FindingState,
    FindingStep,
    Guardian,
    Inspection,
    InspectionParticipant,
    InspectionState,
    Leave,
    LedgerEntry,
    LiaisonAssignment,
    Obligation,
    Person,
    PolicyDocument,
    Reminder,
    School,
    SchoolClass,
    SchoolYear,
    Semester,
    StatusEvent,
    Township,
    Transfer,
    Verdict,
    Violation,
    Visit,
    VisitParticipant,
)
from app.notices.due import DueKind, due_columns
from app.notices.ladder import Ladder, Rung
from app.parameters.settings import NoValue, Settings, settings_of
from app.parameters.value import load_parameters, value_at, value_on
from app.parameters.window import Period, Window
from app.pinyin import sounds
from app.rules.engine import RuleReport, RuleResult
from app.rules.rule import Rule
from app.rules.sentence import sentence
from app.security.privacy import masked_number
from app.workbook import Column as SheetColumn
from app.workbook import Head, Sheet
from app.workflow.child import allowed_next, change_status, school_age
from app.workflow.enrolment_problem import judge_number
from app.workflow.ledger import Ledger, Opening, ledger_words
from app.workflow.seat import counted_elsewhere
from app.workflow.standing import (
    UNFINISHED,
    closings,
    failed_again,
    overdue,
    standing,
    unserved,
    unverified,
)
from app.workflow.transfer import overdue as transfers_overdue
from app.workflow.visit import is_counted, is_joint

__all__ = [
    "CHILD_COLUMN",
    "CHILD_NAME",
    "UNFINISHED",
    "Absence",
    "Answer",
    "AnswerChild",
    "AttendanceReport",
    "Audited",
    "Bulletin",
    "BureauModelView",
    "CalendarDay",
    "CalendarException",
    "ChecklistItem",
    "ChecklistSection",
    "ChecklistVersion",
    "Child",
    "ChildGroup",
    "ChildStatus",
    "ClassGrade",
    "ClassLine",
    "Clause",
    "Code",
    "Column",
    "County",
    "CountyScoped",
    "DayField",
    "DaysAfter",
    "DaysBetween",
    "Derived",
    "Due",
    "DueItem",
    "DueKind",
    "Encrypted",
    "Enrolment",
    "Entity",
    "EvidenceField",
    "EvidenceFile",
    "EvidenceSet",
    "FieldContext",
    "FieldKind",
    "FieldRefused",
    "Finding",
    "FindingState",
    "FindingStep",
    "Grant",
    "Guardian",
    "Head",
    "ImportColumn",
    "ImportRow",
    "Inspection",
    "InspectionParticipant",
    "InspectionState",
    "Items",
    "JobState",
    "Kept",
    "KeptFileField",
    "Key",
    "Ladder",
    "Leave",
    "Ledger",
    "LedgerEntry",
    "LiaisonAssignment",
    "Lookup",
    "LookupField",
    "LookupManyField",
    "MonthsAfter",
    "NoValue",
    "Obligation",
    "Opening",
    "Page",
    "Panel",
    "PanelContent",
    "PanelRow",
    "Part",
    "Period",
    "Person",
    "PlainText",
    "PolicyDocument",
    "Refused",
    "Reminder",
    "Row",
    "Rule",
    "RuleReport",
    "RuleResult",
    "Rung",
    "School",
    "SchoolClass",
    "SchoolYear",
    "Scoped",
    "Section",
    "Semester",
    "Session",
    "Settings",
    "Shared",
    "Sheet",
    "SheetColumn",
    "StatusEvent",
    "Terms",
    "Township",
    "Transfer",
    "UtcDateTime",
    "Verdict",
    "Violation",
    "Visit",
    "VisitParticipant",
    "Window",
    "Work",
    "_",
    "_l",
    "acting",
    "actor",
    "add_rows",
    "allowed_next",
    "blind_indexes",
    "by_code",
    "capacity_title",
    "change_status",
    "check_list",
    "check_names",
    "class_days",
    "closings",
    "content_of",
    "counted_elsewhere",
    "due_columns",
    "earlier",
    "earlier_result",
    "failed_again",
    "forget",
    "give_token",
    "hookimpl",
    "incident_text",
    "inspection_types",
    "interface",
    "is_counted",
    "is_joint",
    "job_handler",
    "job_state",
    "judge_number",
    "keep_token",
    "later",
    "ledger_words",
    "load_parameters",
    "load_terms",
    "load_years",
    "masked_number",
    "months_of_years",
    "now",
    "number_is_sound",
    "obligations_due",
    "overdue",
    "plugin_base",
    "read_list",
    "same_originals",
    "school_age",
    "school_months",
    "sentence",
    "settings_of",
    "sounds",
    "standing",
    "submit_job",
    "today",
    "took_place",
    "transfers_overdue",
    "trimmed",
    "unserved",
    "unverified",
    "value_at",
    "value_on",
    "workbook_answer",
    "working_days_after",
]
