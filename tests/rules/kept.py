"""Put generated counties into the database of one transaction, table by table."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert, select

from app.base import Model
from app.models import (
    Absence,
    Answer,
    AttendanceReport,
    CalendarDay,
    Checklist,
    ChecklistItem,
    ChecklistSection,
    ChecklistVersion,
    Child,
    ChildStatus,
    ClassGrade,
    ClassLine,
    Code,
    EvidenceFile,
    EvidenceSet,
    Finding,
    FindingStep,
    Inspection,
    InspectionParticipant,
    Leave,
    LedgerEntry,
    Parameter,
    ParameterValue,
    Person,
    SchoolClass,
    SchoolYear,
    Semester,
    StatusEvent,
    Transfer,
    Visit,
    VisitParticipant,
)
from plugins.home_teaching.models import (
    Case,
    Disability,
    Excuse,
    Paper,
    SessionTeacher,
    TeachingSession,
)
from plugins.records.models import MonthlyReport
from plugins.suspension.models import SuspensionCase, SuspensionPaper
from tests.builder import CountyBuilder
from tests.cadence.test_obligation import Store
from tests.rules.made import SmallCounty
from tests.rules.oracle import Campus, Frame, days
from tests.rules.oracle_attendance import GRADE, Attendance
from tests.rules.oracle_attendance import Pupil as Sitting
from tests.rules.oracle_doubles import PEOPLE, Errand, Picture
from tests.rules.oracle_findings import ITEMS, Matter
from tests.rules.oracle_records import DOCUMENTS, Look, Papers
from tests.rules.oracle_suspension import Away, Call, Pupil
from tests.rules.oracle_teaching import Taught

FIRST_ID = 1_000_000
NOON = time(4)
MARGIN = timedelta(days=70)


class Shelf:
    """Gather rows by table, with keys of their own, and insert them together."""

    def __init__(self, county: CountyBuilder, frame: Frame) -> None:
        self.session, self.county_id, self.frame = county.session, county.here.id, frame
        self._rows: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
        self._number = itertools.count(FIRST_ID)
        self.statuses = dict(self.session.execute(select(ChildStatus.key, ChildStatus.id)).all())
        kinds = select(Code.key, Code.id).where(Code.domain == "organisation_kind")
        self.kinds = dict(self.session.execute(kinds).all())

    def put(self, model: Any, **values: Any) -> int:
        """Gather a row; return the key that it will have."""
        values = {"id": next(self._number), **values}
        self._rows[model.__tablename__, tuple(sorted(values))].append(values)
        return values["id"]

    def insert(self) -> None:
        """Insert what was gathered, tables that others point to first."""
        order = {table.name: place for place, table in enumerate(Model.metadata.sorted_tables)}
        for (name, _columns), rows in sorted(self._rows.items(), key=lambda one: order[one[0][0]]):
            self.session.execute(insert(Model.metadata.tables[name]), rows)
        self._rows.clear()

    def scope(self, campus: Campus) -> dict[str, int]:
        """Return the scope columns of what belongs to a school."""
        return {
            "county_id": self.county_id, "township_id": campus.town.id, "school_id": campus.id,
        }  # fmt: skip

    def calendar(self) -> SchoolYear:
        """Insert both school years, every day, and the values that change; return the later."""
        frame, here = self.frame, {"county_id": self.county_id}
        years = []
        for span, terms in (
            (frame.before, frame.semesters_before), (frame.year, frame.semesters),
        ):  # fmt: skip
            year = SchoolYear(name=f"{span[0]}", starts_on=span[0], ends_on=span[1], **here)
            self.session.add(year)
            self.session.flush()
            years.append(year)
            for first, last in terms:
                self.put(
                    Semester, school_year_id=year.id, name="学期", starts_on=first, ends_on=last,
                    **here,
                )  # fmt: skip
        self.session.execute(delete(CalendarDay))
        for day in days(frame.before[0] - MARGIN, frame.year[1] + MARGIN):
            self.put(
                CalendarDay, day=day, is_working_day=frame.is_working(day),
                is_school_day=frame.is_school_day(day), **here,
            )  # fmt: skip
        for key, (since, value) in frame.changes.items():
            parameter = self.session.scalar(select(Parameter.id).where(Parameter.key == key))
            assert parameter, key
            self.put(
                ParameterValue, parameter_id=parameter, valid_from=since, number=Decimal(value),
                basis="decision",
            )  # fmt: skip
        self.insert()
        return years[1]

    def items(self) -> list[list[ChecklistItem]]:
        """Insert a checklist in two versions with the same items."""
        checklist = self.put(Checklist, key="oracle", title="示例")
        found = []
        for number in (1, 2):
            version = self.put(
                ChecklistVersion, checklist_id=checklist, number=number, digest=f"{number:064d}",
                valid_from=date(2024, 1, 1), published_at=datetime(2024, 1, 1, tzinfo=UTC),
            )  # fmt: skip
            section = self.put(
                ChecklistSection, version_id=version, key="s", title="示例", position=1
            )
            found.append(
                [
                    (
                        version,
                        self.put(
                            ChecklistItem, version_id=version, section_id=section,
                            kind="plain" if place < ITEMS else "document", frequency="semester",
                            key=f"item_{place}", text="示例", position=place,
                        ),
                    )
                    for place in range(ITEMS + DOCUMENTS)
                ]
            )  # fmt: skip
        self.insert()
        return found

    def child(self, campus: Campus, **values: Any) -> int:
        """Gather a child."""
        return self.put(
            Child, name="某生", search_key="", id_kind="none", **self.scope(campus),
            **{"status_id": self.statuses["enrolled"], "born_on": None, "class_id": None, **values},
        )  # fmt: skip

    def entry_parts(self, person: int) -> dict[str, Any]:
        """Return all that an entry in a ledger needs."""
        reason = self.session.scalar(select(Code.id).limit(1))
        return {
            "reason_id": reason, "next_action": "家访", "school_responsible_id": person,
            "township_responsible_id": person,
        }  # fmt: skip

    def evidence(self, campus: Campus) -> int:
        """Gather an evidence set with one file."""
        scope = self.scope(campus)
        held = self.put(EvidenceSet, is_staged=False, **scope)
        self.put(
            EvidenceFile, evidence_set_id=held, name="照片.png", media_type="image/png", size=1,
            original_sha256=f"{held:064d}", stored_sha256=f"{held:064d}", **scope,
        )  # fmt: skip
        return held


def keep(county: CountyBuilder, frame: Frame, counties: list[SmallCounty]) -> dict[str, dict]:
    """Store counties under one calendar; the facts take the keys of their rows."""
    shelf = Shelf(county, frame)
    year = shelf.calendar()
    items = shelf.items()
    number = itertools.count(1)
    for one in counties:
        store = Store(county, one.world)
        store.year, store.number = year, number
        store.places()
        _matters(shelf, items, one.matters)
        for pupil in one.pupils:
            _pupil(shelf, pupil)
        people = [
            shelf.put(Person, name="某人", search_key="", is_active=True, county_id=shelf.county_id)
            for _ in range(PEOPLE)
        ]
        for child in one.taught:
            _taught(shelf, child, people)
        for errand in one.errands:
            _errand(shelf, items[0][0][0], errand, people)
        sets: dict[int, int] = {}
        for picture in one.pictures:
            _picture(shelf, picture, sets)
        _attendance(shelf, year.id, items[0][0][0], one.attendance, people[0])
        _papers(shelf, items, one.papers, people[0])
    shelf.insert()


def _matters(shelf: Shelf, items: list[Any], matters: list[Matter]) -> None:
    visits: dict[int, int] = {}
    children: dict[tuple[int, int], int] = {}
    for one in matters:
        scope = shelf.scope(one.campus)
        version, item = items[one.version][one.item]
        if one.visit not in visits:
            visits[one.visit] = shelf.put(
                Inspection, type_key="random_inspection", checklist_version_id=version,
                occurred_on=one.found, state="draft", is_backfilled=False, **scope,
            )  # fmt: skip
        place = (id(one.campus), one.child)
        if one.child is not None and place not in children:
            children[place] = shelf.child(one.campus)
        one.id = shelf.put(
            Finding, inspection_id=visits[one.visit], item_id=item, facts="事实",
            state=one.steps[-1][1], is_self_found=one.is_self_found, is_urgent=one.is_urgent,
            needs_pupils=one.needs_pupils, found_on=one.found, due_on=one.due, reopened=0,
            child_id=children.get(place), closing="evidence", **scope,
        )  # fmt: skip
        before = ""
        for day, state in one.steps:
            shelf.put(
                FindingStep, finding_id=one.id, step="find", from_state=before, to_state=state,
                happened_on=day, happened_at=datetime.combine(day, NOON, UTC), due_on=one.due,
                **scope,
            )  # fmt: skip
            before = state
    for one in matters:
        one.visit = visits[one.visit]


def _pupil(shelf: Shelf, one: Pupil) -> None:
    scope = shelf.scope(one.campus)
    a_class = None
    if one.has_class:
        query = select(SchoolClass.id).where(SchoolClass.school_id == one.campus.id).limit(1)
        a_class = shelf.session.scalar(query)
    one.id = shelf.child(one.campus, born_on=one.born, class_id=a_class)
    held = shelf.evidence(one.campus)
    keys: dict[int, int] = {}
    for case in one.cases:
        keys[id(case)] = _case(shelf, one, case, held, keys)
        if case.back and case.back_by_status:
            shelf.put(
                StatusEvent, child_id=one.id, status_id=shelf.statuses["returned"],
                happened_on=case.back, basis="返校", **scope,
            )  # fmt: skip
    for call in one.calls:
        _call(shelf, one, call, held)


def _case(shelf: Shelf, one: Pupil, case: Away, held: int, keys: dict[int, int]) -> int:
    scope = shelf.scope(case.campus)
    key = shelf.put(
        SuspensionCase, child_id=one.id, kind=case.kind, state="approved",
        applied_on=case.counted_from, counted_from=case.counted_from, approved_on=case.approved,
        ends_on=case.expires, returned_on=None if case.back_by_status else case.back,
        renews_id=keys.get(id(case.renews)), is_backfilled=False, **scope,
    )  # fmt: skip
    for kind, (number, dated) in case.papers.items():
        shelf.put(
            SuspensionPaper, case_id=key, child_id=one.id, kind=kind, number=number,
            dated_on=dated, evidence_set_id=held, **scope,
        )  # fmt: skip
    return key


def _call(shelf: Shelf, one: Pupil, call: Call, held: int) -> None:
    scope = shelf.scope(one.campus)
    call.id = key = shelf.put(
        Visit, child_id=one.id, kind="persuasion" if call.is_persuasion else "home",
        visited_on=call.day, is_remote=call.is_remote, met_child=call.met_child,
        met_guardian=call.met_guardian, evidence_set_id=held if call.has_evidence else None,
        is_backfilled=False, **scope,
    )  # fmt: skip
    for kind in sorted(call.kinds):
        shelf.put(
            VisitParticipant, visit_id=key, name="某某", organisation_kind_id=shelf.kinds[kind],
            **scope,
        )  # fmt: skip


def _taught(shelf: Shelf, one: Taught, people: list[int]) -> None:
    scope = shelf.scope(one.campus)
    one.id = shelf.child(one.campus, residence_place=one.home)
    held = shelf.evidence(one.campus)
    case = shelf.put(
        Case, child_id=one.id, determination=one.determination, determined_on=one.determined,
        starts_on=one.first, ends_on=one.last, **scope,
    )  # fmt: skip
    for kind, year in one.papers.items():
        shelf.put(Paper, case_id=case, kind=kind, form_year=year, evidence_set_id=held, **scope)
    for month in one.excused:
        shelf.put(
            Excuse, child_id=one.id, month=month, reason="hospital", note="", state="approved",
            **scope,
        )  # fmt: skip
    for first, last, placement in one.roster:
        shelf.put(
            Disability, child_id=one.id, kind="physical", valid_from=first, valid_to=last,
            placement=placement, **scope,
        )  # fmt: skip
    for lesson in sorted(one.lessons, key=lambda each: (each.day, each.start)):
        lesson.id = shelf.put(
            TeachingSession, child_id=one.id, taught_on=lesson.day,
            starts_at=_clock(lesson.start), ends_at=_clock(lesson.end),
            minutes=lesson.end - lesson.start, stated_hours=lesson.stated,
            plan=lesson.plan, record=lesson.record,
            evidence_set_id=held if lesson.has_pictures else None, **scope,
        )  # fmt: skip
        if lesson.teacher is not None:
            shelf.put(
                SessionTeacher, session_id=lesson.id, person_id=people[lesson.teacher], **scope
            )


def _errand(shelf: Shelf, version: int, one: Errand, people: list[int]) -> None:
    scope = shelf.scope(one.campus)
    one.id = shelf.put(
        Inspection, type_key="random_inspection", checklist_version_id=version,
        occurred_on=one.day, state="submitted" if one.is_submitted else "draft",
        is_backfilled=False, **scope,
    )  # fmt: skip
    start = datetime.combine(one.day, NOON, UTC)
    for person, span in one.people.items():
        arrived, left = (
            [start + timedelta(minutes=minute) for minute in span] if span else (None, None)
        )
        shelf.put(
            InspectionParticipant, inspection_id=one.id, person_id=people[person],
            capacity="task_group", arrived_at=arrived, left_at=left, **scope,
        )  # fmt: skip


def _attendance(shelf: Shelf, year_id: int, version: int, held: Attendance, person: int) -> None:
    for room in held.rooms:
        scope = shelf.scope(room.campus)
        room.id = shelf.put(
            SchoolClass, school_year_id=year_id, name="某班", position=9, is_active=True,
            created_at=datetime(2024, 1, 1, tzinfo=UTC), **scope,
        )  # fmt: skip
        shelf.put(ClassGrade, class_id=room.id, grade=GRADE, **scope)
        for day, present in room.reports.items():
            shelf.put(
                AttendanceReport, class_id=room.id, day=day, on_roll=30, present=present,
                reported_at=datetime.combine(day, NOON, UTC), **scope,
            )  # fmt: skip
    for one in held.pupils:
        _absences(shelf, one, person)
    for visit in held.rounds:
        scope = shelf.scope(visit.campus)
        visit.id = shelf.put(
            Inspection, type_key=visit.kind, checklist_version_id=version, occurred_on=visit.day,
            state="submitted" if visit.is_submitted else "draft", is_backfilled=False,
            submitted_at=datetime.combine(visit.day, NOON, UTC), **scope,
        )  # fmt: skip
        for line in visit.lines:
            shelf.put(
                ClassLine, inspection_id=visit.id, class_id=line.room.id, day=visit.day,
                on_roll=line.on_roll, present=line.present, desks=line.desks, chairs=line.chairs,
                is_drawn=False, is_agreed=False, note=line.note, **scope,
            )  # fmt: skip


def _absences(shelf: Shelf, one: Sitting, person: int) -> None:
    scope = shelf.scope(one.room.campus)
    one.id = shelf.child(one.room.campus, class_id=one.room.id)
    for day, kind in one.away.items():
        called = datetime.combine(day, NOON, UTC) if day in one.called else None
        shelf.put(
            Absence, class_id=one.room.id, child_id=one.id, day=day, kind=kind, contact_at=called,
            **scope,
        )  # fmt: skip
    for first, last, carrier in one.leave:
        shelf.put(
            Leave, child_id=one.id, kind="sick_leave", starts_on=first, ends_on=last, reason="病",
            asked_by="家长", called_on=first if carrier == "call" else None,
            evidence_set_id=shelf.evidence(one.room.campus) if carrier == "paper" else None,
            **scope,
        )  # fmt: skip
    for (ledger, category), opened, closed in one.entries:
        shelf.put(
            LedgerEntry, child_id=one.id, ledger=ledger, category=category, opened_on=opened,
            since=opened, closed_on=closed, **shelf.entry_parts(person), **scope,
        )  # fmt: skip
    for started, arrived, cancelled in one.transfers:
        shelf.put(
            Transfer, child_id=one.id, to_place="外地", started_on=started, basis="转学",
            arrived_on=arrived, cancelled_on=cancelled, **scope,
        )  # fmt: skip


def _papers(shelf: Shelf, items: list[Any], held: Papers, person: int) -> None:
    whole = shelf.entry_parts(person)
    for entry in held.entries:
        given = {name: whole[name] for place, name in enumerate(whole) if place in entry.parts}
        entry.id = shelf.put(
            LedgerEntry, child_id=shelf.child(entry.campus), ledger="oracle", category="",
            opened_on=entry.opened, since=entry.opened, closed_on=entry.closed,
            **shelf.scope(entry.campus), **given,
        )  # fmt: skip
    for place, month in held.reports:
        shelf.put(
            MonthlyReport, month=month, is_nil=True, filed_at=datetime.combine(month, NOON, UTC),
            **shelf.scope(held.campuses[place]),
        )  # fmt: skip
    for look in held.looks:
        _look(shelf, items[look.version][ITEMS:], look)


def _look(shelf: Shelf, documents: list[tuple[int, int]], look: Look) -> None:
    scope = shelf.scope(look.campus)
    key = shelf.put(
        Inspection, type_key="random_inspection", checklist_version_id=documents[0][0],
        occurred_on=look.day, state="submitted" if look.is_submitted else "draft",
        is_backfilled=False, **scope,
    )  # fmt: skip
    for place, verdict in look.verdicts.items():
        item = documents[place][1]
        shelf.put(Answer, inspection_id=key, item_id=item, verdict=verdict, **scope)
        if place not in look.ended:
            continue
        day = look.ended[place]
        finding = shelf.put(
            Finding, inspection_id=key, item_id=item, facts="事实", state="withdrawn",
            is_self_found=True, is_urgent=False, needs_pupils=False, found_on=look.day,
            closing="evidence", reopened=0, **scope,
        )  # fmt: skip
        for before, state, at in (("", "open", look.day), ("open", "withdrawn", day)):
            shelf.put(
                FindingStep, finding_id=finding, step="find", from_state=before, to_state=state,
                happened_on=at, happened_at=datetime.combine(at, NOON, UTC), **scope,
            )  # fmt: skip


def _picture(shelf: Shelf, one: Picture, sets: dict[int, int]) -> None:
    scope = shelf.scope(one.campus)
    if one.record not in sets:
        sets[one.record] = shelf.put(EvidenceSet, is_staged=False, **scope)
    digest = f"{id(sets):040d}{one.content:024d}"
    one.id = shelf.put(
        EvidenceFile, evidence_set_id=sets[one.record], name="照片.png", size=1,
        media_type="image/png" if one.is_picture else "application/pdf",
        original_sha256=digest, stored_sha256=digest,
        created_at=datetime.combine(one.day, NOON, UTC), **scope,
    )  # fmt: skip


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
