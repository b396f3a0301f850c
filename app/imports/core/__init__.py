"""The core's own entities, in the order in which an empty installation is filled."""

from __future__ import annotations

from app.imports.core.attendance import ABSENCE, LEAVE
from app.imports.core.calendar import CALENDAR_DAY, CALENDAR_EXCEPTION, SCHOOL_YEAR, SEMESTER
from app.imports.core.child import CHILD, CHILD_GROUP, ENROLMENT, GUARDIAN
from app.imports.core.inspection import INSPECTION
from app.imports.core.ledger import LEDGER
from app.imports.core.organization import SCHOOL, SCHOOL_CLASS, TOWNSHIP
from app.imports.core.staff import APPOINTMENT, ASSIGNMENT, PERSON
from app.imports.core.status import STATUS
from app.imports.core.transfer import TRANSFER
from app.imports.core.visit import VISIT
from app.imports.entity import Entity

CORE: tuple[Entity, ...] = (
    TOWNSHIP,
    SCHOOL,
    SCHOOL_YEAR,
    SEMESTER,
    CALENDAR_DAY,
    PERSON,
    SCHOOL_CLASS,
    CALENDAR_EXCEPTION,
    APPOINTMENT,
    ASSIGNMENT,
    CHILD,
    GUARDIAN,
    CHILD_GROUP,
    ENROLMENT,
    STATUS,
    TRANSFER,
    VISIT,
    LEAVE,
    ABSENCE,
    LEDGER,
    INSPECTION,
)
