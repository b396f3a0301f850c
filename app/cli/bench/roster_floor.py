"""Import a roster by hand: cells by calamine into a staged table, and set SQL for all else.

The floor of the import knows where each column stands. It seals and spells in Python, as it must,
and leaves the rows that the product leaves, those of the trail and of the batch included.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import python_calamine
from cryptography.fernet import Fernet

from app.cli.bench.floor import Database
from app.pinyin import search_key

STAGED = (
    "number", "name", "search_key", "born_on", "id_number", "id_sealed", "id_index", "code_sealed",
    "code_index", "school", "class", "is_boarding", "household", "residence", "village",
)  # fmt: skip
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SUM = " + ".join(
    f"{weight} * CAST(substr(id_number, {at}, 1) AS integer)"
    for at, weight in enumerate(WEIGHTS, 1)
)
WORDS = {
    "sqlite": {"bytes": "BLOB", "json": "json_object", "text": "CAST({} AS TEXT)"},
    "postgresql": {
        "bytes": "bytea",
        "json": "json_build_object",
        "text": "convert_from({}, 'utf8')",
    },
}
JUDGE = f"""
    UPDATE stage SET fault = 'check digit'
    WHERE substr('10X98765432', 1 + ({SUM}) % 11, 1) <> substr(id_number, 18, 1)"""  # noqa: S608  # ours
NAMELESS = """
    UPDATE stage SET fault = 'class' WHERE fault IS NULL AND NOT EXISTS (
        SELECT 1 FROM school JOIN school_class ON school_class.school_id = school.id
        WHERE school.name = stage.school AND school_class.name = stage.class
          AND school.county_id = :county)"""
ADD_CHILDREN = """
    INSERT INTO child (name, search_key, sex, born_on, id_kind, id_number, id_number_index,
        enrolment_number, enrolment_number_index, status_id, class_id, is_boarding,
        household_place, residence_place, village, county_id, township_id, school_id, created_at,
        changed_at, row_version)
    SELECT stage.name, stage.search_key,
        CASE CAST(substr(id_number, 17, 1) AS integer) % 2 WHEN 1 THEN 'male' ELSE 'female' END,
        born_on, 'resident', id_sealed, id_index, code_sealed, code_index,
        (SELECT id FROM child_status WHERE key = 'enrolled'), school_class.id, stage.is_boarding,
        household, residence, stage.village, school.county_id, school.township_id, school.id,
        :at, :at, 1
    FROM stage
    JOIN school ON school.name = stage.school AND school.county_id = :county
    JOIN school_class ON school_class.school_id = school.id AND school_class.name = stage.class
        AND school_class.is_active
    WHERE fault IS NULL
    ON CONFLICT (county_id, id_number_index, school_id) DO UPDATE SET
        name = excluded.name, search_key = excluded.search_key, born_on = excluded.born_on,
        class_id = excluded.class_id, is_boarding = excluded.is_boarding,
        household_place = excluded.household_place, residence_place = excluded.residence_place,
        village = excluded.village, changed_at = excluded.changed_at,
        row_version = child.row_version + 1"""
ADD_EVENTS = """
    INSERT INTO status_event (child_id, status_id, happened_on, basis, county_id, township_id,
        school_id, created_at, changed_at, row_version)
    SELECT child.id, status_id, :today, 'first entry', child.county_id, township_id, school_id,
        :at, :at, 1
    FROM stage JOIN child ON id_number_index = id_index WHERE child.county_id = :county"""
ADD_PLACES = """
    INSERT INTO enrolment (child_id, class_id, valid_from, is_registered, county_id, township_id,
        school_id, created_at, changed_at, row_version)
    SELECT child.id, class_id, :today, :yes, child.county_id, township_id, school_id, :at, :at, 1
    FROM stage JOIN child ON id_number_index = id_index WHERE child.county_id = :county"""
VALUES = {
    "child": (
        "child.id",
        """'name', child.name, 'sex', sex, 'born_on', child.born_on, 'id_kind', id_kind,
           'id_number', {id}, 'id_number_index', id_number_index, 'enrolment_number', {code},
           'enrolment_number_index', enrolment_number_index, 'status_id', status_id, 'class_id',
           class_id, 'is_boarding', child.is_boarding, 'household_place', household_place,
           'residence_place', residence_place, 'village', child.village, 'county_id',
           child.county_id, 'township_id', township_id, 'school_id', school_id""",
        "",
    ),
    "status_event": (
        "own.id",
        """'child_id', child.id, 'status_id', own.status_id, 'happened_on', happened_on, 'basis',
           basis, 'county_id', own.county_id, 'township_id', own.township_id, 'school_id',
           own.school_id""",
        "JOIN status_event AS own ON own.child_id = child.id",
    ),
    "enrolment": (
        "own.id",
        """'child_id', child.id, 'class_id', own.class_id, 'valid_from', valid_from,
           'is_registered', is_registered, 'county_id', own.county_id, 'township_id',
           own.township_id, 'school_id', own.school_id""",
        "JOIN enrolment AS own ON own.child_id = child.id",
    ),
}
"""By table: the key of a new row, what the trail keeps of it, and the way to it."""
ADD_TRAIL = """
    INSERT INTO change (at, address, action, table_name, row_id, after, note)
    SELECT :at, '', 'insert', '{table}', {key}, {json}({values}), :note
    FROM stage JOIN child ON id_number_index = id_index {way} WHERE child.county_id = :county"""
ADD_ROWS = """
    INSERT INTO import_row (batch_id, number, change_id, row_version)
    SELECT :batch, number, change.id, 1
    FROM stage JOIN child ON id_number_index = id_index {way}
    JOIN change ON change.row_id = {key} AND change.table_name = '{table}' AND change.note = :note
    WHERE child.county_id = :county"""
ADD_BATCH = """
    INSERT INTO import_batch (entity, file_name, sha256, state, is_backfilled, total, added,
        changed, skipped, failed, county_id, created_at, changed_at, row_version)
    VALUES ('child', 'roster', '', 'stored', :no, 0, 0, 0, 0, 0, :county, :at, :at, 1)
    RETURNING id"""
ADD_ENTRY = """
    INSERT INTO change (at, address, action, table_name, row_id, note)
    VALUES (:at, '', 'import', 'import_batch', :batch, :note)"""
ADD_FAULTS = """
    INSERT INTO import_fault (batch_id, number, header, message)
    SELECT :batch, number, 'id number', fault FROM stage WHERE fault IS NOT NULL"""


class RosterFloor:
    """Import into one county over a connection whose transaction the caller ends."""

    def __init__(self, database: Database, key: str, index_key: str, county: int) -> None:
        self.database = database
        self.cipher = Fernet(key)
        self.index_key = index_key.encode()
        self.county = county
        self.words = WORDS[database.kind]

    def read(self, content: bytes) -> list[list[Any]]:
        """Return the cells."""
        book = python_calamine.load_workbook(BytesIO(content))
        return book.get_sheet_by_index(0).to_python(skip_empty_area=False)

    def store(self, cells: Sequence[Sequence[Any]]) -> None:
        """Stage the cells, judge them and write what is sound."""
        now = datetime.now(UTC)
        is_sqlite = self.database.kind == "sqlite"
        at = now.replace(tzinfo=None).isoformat(" ") if is_sqlite else now
        known = {"county": self.county, "at": at, "today": now.date().isoformat()}
        known |= {"yes": True, "no": False}
        self._stage(cells)
        self.database.rows(JUDGE)
        self.database.rows(NAMELESS, **known)
        batch = self.database.rows(ADD_BATCH, **known)[0][0]
        known |= {"batch": batch, "note": f"import {batch}"}
        for statement in (ADD_CHILDREN, ADD_EVENTS, ADD_PLACES):
            self.database.rows(statement, **known)
        for table in VALUES:
            self.database.rows(self._worded(ADD_TRAIL, table), **known)
            self.database.rows(self._worded(ADD_ROWS, table), **known)
        self.database.rows(ADD_FAULTS, **known)
        self.database.rows(ADD_ENTRY, **known)

    def _worded(self, statement: str, table: str) -> str:
        key, values, way = VALUES[table]
        text = self.words["text"]
        sealed = values.format(id=text.format("id_sealed"), code=text.format("code_sealed"))
        return statement.format(
            table=table, key=key, values=sealed, way=way, json=self.words["json"]
        )

    def _stage(self, cells: Sequence[Sequence[Any]]) -> None:
        kinds = {"number": "integer", "born_on": "date", "is_boarding": "boolean"}
        kinds |= {"id_sealed": self.words["bytes"], "code_sealed": self.words["bytes"]}
        columns = ", ".join(f"{name} {kinds.get(name, 'text')}" for name in STAGED)
        self.database.rows(f"CREATE TEMPORARY TABLE stage ({columns}, fault text)")
        names = ", ".join(STAGED)
        lines = self._lines(cells)
        if self.database.kind == "sqlite":
            marks = ", ".join("?" * len(STAGED))
            self.database.connection.executemany(
                f"INSERT INTO stage ({names}) VALUES ({marks})",  # noqa: S608  # our own names
                lines,
            )
        else:
            with (
                self.database.connection.cursor() as cursor,
                cursor.copy(f"COPY stage ({names}) FROM STDIN") as copy,
            ):
                for line in lines:
                    copy.write_row(line)
        self.database.rows("CREATE INDEX stage_of_child ON stage (id_index)")
        if self.database.kind == "postgresql":
            self.database.rows("ANALYZE stage")

    def _lines(self, cells: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
        for number, row in enumerate(cells[1:], 2):
            name, _sex, born, _kind, own, code, school, school_class = row[:8]
            boarding, household, residence, village = row[8:12]
            yield (
                *(number, name, search_key(name), f"{born[:4]}-{born[4:6]}-{born[6:]}", own),
                *(self.cipher.encrypt(own.encode()), self._digest(own)),
                *(self.cipher.encrypt(code.encode()), self._digest(code)),
                *(school, school_class, boarding == "是", household, residence, village),
            )

    def _digest(self, text: str) -> str:
        return hmac.digest(self.index_key, text.encode(), "sha256").hex()
