"""Part 6: check the annex 1 checklist and the six inspection types that fill it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from flask import Flask

from app.base import registry

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
TYPES = (
    "daily_check", "department_visit", "leader_visit", "township_visit",
    "semester_inspection", "random_inspection",
)  # fmt: skip
FOLDERS = ("annex_1", *TYPES)
ROLES = {
    "task_group", "supervision_office", "liaison_leader", "liaison_department",
    "township_leader", "township_cadre", "education_assistant", "school_leader",
    "class_teacher", "school_clerk", "township_clerk",
}  # fmt: skip
KINDS = {
    "plain", "document", "integer", "pair", "date", "text", "choice", "roster",
    "document_per_child", "class_lines", "rule_result",
}  # fmt: skip
ATOMS = {
    **{f"LP24-A1-1-1{atom}": ("document", "semester", 1) for atom in "abcd"},
    "LP24-A1-1-2": ("document", "semester", 1),
    "LP24-A1-2-1": ("pair", "visit", 1),
    "LP24-A1-2-2a": ("roster", "visit", 1),
    "LP24-A1-2-2b": ("class_lines", "visit", 1),
    "LP24-A1-2-2c": ("plain", "visit", 1),
    "LP24-A1-2-2d": ("document_per_child", "visit", 1),
    **{f"LP24-A1-2-4{atom}": ("document", "semester", 1) for atom in "abcde"},
    "LP24-A1-2-4f": ("plain", "visit", 1),
    "LP24-A1-3-1": ("roster", "semester", 1),
    **{f"LP24-A1-3-2{atom}": ("document_per_child", "semester", 1) for atom in "abcdgh"},
    "LP24-A1-3-2e": ("rule_result", "visit", 1),
    "LP24-A1-3-2f": ("rule_result", "visit", 3),
    "LP24-A1-4-1": ("roster", "semester", 1),
    "LP24-A1-4-2": ("roster", "semester", 1),
    **{f"LP24-A1-4-3{atom}": ("document_per_child", "semester", 1) for atom in "abcdef"},
    "LP24-A1-4-3g": ("document", "visit", 1),
    "LP24-A1-4-3h": ("rule_result", "visit", 4),
    "LP24-1-1": ("plain", "semester", 1),
    "LP24-1-3": ("plain", "semester", 1),
    "LP24-4-1": ("plain", "semester", 1),
}


def read(path: Path) -> dict[str, Any]:
    """Parse a TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def sections(folder: str = "annex_1") -> list[dict[str, Any]]:
    """Return the sections of a plugin's checklist."""
    return list(read(PLUGINS / folder / "checklist.toml")["section"])


def items(folder: str = "annex_1") -> list[dict[str, Any]]:
    """Return the items of a plugin's checklist in printed order."""
    return [item for section in sections(folder) for item in section["item"]]


def printed_rows() -> set[tuple[str, str]]:
    """Return the cells 督导内容 and 督导标准 of every row of the official form."""
    text = (ROOT / "seed" / "policy" / "lp24" / "text.txt").read_text(encoding="utf-8")
    table = text[text.index("督导项目\t") : text.index("附件2：")]
    rows = [line.split("\t") for line in table.splitlines()[1:]]
    return {(row[1], row[2]) for row in rows}


def clause_keys() -> set[str]:
    """Return the keys of the policy's clauses."""
    policy = read(ROOT / "seed" / "policy" / "lp24" / "policy.toml")
    return {clause["key"] for clause in policy["clause"]}


def texts(folder: str) -> Iterator[str]:
    """Yield every text of a plugin's TOML files that a screen shows."""
    yield read(PLUGINS / folder / "plugin.toml")["title"]
    path = PLUGINS / folder / "checklist.toml"
    if not path.exists():
        return
    yield read(path)["title"]
    for section in sections(folder):
        yield section["title"]
        for item in section["item"]:
            yield from (item[name] for name in ("text", "content", "standard") if name in item)
            yield from item.get("labels", [])
            yield from (choice["title"] for choice in item.get("choices", []))


@pytest.mark.parametrize("clause", sorted(ATOMS))
def test_atom_has_its_items(clause: str) -> None:
    kind, frequency, count = ATOMS[clause]

    found = [item for item in items() if item["clause"] == clause]

    assert len(found) == count
    assert {item["kind"] for item in found} == {kind}
    assert {item.get("frequency", "visit") for item in found} == {frequency}


def test_reported_figure_names_its_source() -> None:
    found = {i["key"]: i["kind"] for i in items() if i["clause"] == "LP24-A1-2-3"}

    assert found == {"monitoring_source": "choice", "monitoring_matches": "pair"}


def test_no_item_stands_outside_the_atoms() -> None:
    assert {item["clause"] for item in items()} == {*ATOMS, "LP24-A1-2-3"}


def test_four_projects_and_a_supplement_carry_the_printed_titles() -> None:
    policy = (ROOT / "seed" / "policy" / "lp24" / "text.txt").read_text(encoding="utf-8")

    titles = [section["title"] for section in sections() if section.get("project")]

    assert [s.get("project", "") for s in sections()] == ["1", "2", "3", "4", ""]
    assert all(title in policy for title in titles)


def test_columns_are_the_printed_cells() -> None:
    printed = [i for i in items() if i["clause"].startswith("LP24-A1")]

    assert {(i["content"], i["standard"]) for i in printed} == printed_rows()


def test_findings_close_as_decided() -> None:
    for section in sections():
        for item in section["item"]:
            visit = section.get("project") in {"3", "4"} or item.get("urgent", False)
            document = item["kind"] == "document" and section.get("project") in {"1", "2"}
            assert not visit or item["closing"] == "return_visit", item["key"]
            assert not document or item["closing"] == "evidence", item["key"]


def test_urgent_items_never_stop_in_vacations() -> None:
    every = [*items(), *items("daily_check")]

    assert [i["key"] for i in every if i.get("urgent") and i.get("needs_pupils")] == []
    assert {i["clause"] for i in every if i.get("urgent")} == {
        "LP24-A1-2-2a", "LP24-A1-2-2b", "LP24-A1-2-3", "LP24-3-1-1",
    }  # fmt: skip


def test_projects_1_and_3_have_a_township_variant() -> None:
    both = {
        section.get("project")
        for section in sections()
        for item in section["item"]
        if item.get("applies_to") == "both"
    }

    assert both == {"1", "3"}
    assert all(i["applies_to"] == "both" for s in sections()[0:3:2] for i in s["item"])


@pytest.mark.parametrize("folder", ["annex_1", "daily_check"])
def test_checklist_is_sound(folder: str) -> None:
    keys = [item["key"] for item in items(folder)]

    assert read(PLUGINS / folder / "checklist.toml")["valid_from"] == date(2024, 2, 26)
    assert len(keys) == len(set(keys))
    for item in items(folder):
        assert item["kind"] in KINDS
        assert item["clause"] in clause_keys()
        assert (item["kind"] == "rule_result") is ("rule" in item)
        if item["kind"] not in ("roster", "document_per_child"):  # theirs name lists of children
            assert (item["kind"] == "choice") is ("choices" in item)
        assert (item["kind"] == "pair") is (len(item.get("labels", ())) == 2)


def test_daily_check_covers_classes_desks_leave_and_children_at_risk() -> None:
    found = {item["key"]: item["kind"] for item in items("daily_check")}

    assert found == {
        "class_attendance": "class_lines",
        "desks_and_chairs": "plain",
        "leave_formalities": "document_per_child",
        "at_risk_present": "roster",
    }


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("daily_check", ("校级领导每日督导", "LP24-3-1-1", "school_leader",
         "school_day", "each_class", "rectification_order")),
        ("department_visit", ("挂点股室督导", "LP24-3-1-2", "liaison_department",
         "fortnight", "each_school", "written_feedback")),
        ("leader_visit", ("挂点领导督导", "LP24-3-1-3", "liaison_leader",
         "month", "linked_schools", "written_feedback")),
        ("township_visit", ("乡镇领导督导", "LP24-3-1-4", "township_leader",
         "fortnight", "each_school", "written_feedback")),
        ("semester_inspection", ("学期专项督导", "LP24-3-1-5", "supervision_office",
         "semester", "campaign", "inspection_opinion")),
        ("random_inspection", ("随机督导", "LP24-3-2", "task_group",
         "none", None, "written_feedback")),
    ],
)  # fmt: skip
def test_inspection_type_says_who_how_often_and_on_what_paper(
    folder: str, expected: tuple[str | None, ...]
) -> None:
    manifest = read(PLUGINS / folder / "plugin.toml")
    spec = manifest["inspection"]
    cadence = spec["cadence"]

    found = (spec["clause"], spec["capacity"], cadence["every"], cadence.get("scope"))

    assert manifest["name"] == folder
    assert (manifest["title"], *found, spec["feedback"]) == expected


def test_special_and_random_inspections_meet_no_cadence_of_others() -> None:
    counts = {name: read(PLUGINS / name / "plugin.toml")["inspection"]["counts"] for name in TYPES}

    assert [name for name, value in counts.items() if not value] == [
        "semester_inspection",
        "random_inspection",
    ]


def test_outside_visits_draw_classes_and_the_daily_check_is_the_schools_own() -> None:
    specs = {name: read(PLUGINS / name / "plugin.toml")["inspection"] for name in TYPES}

    assert [name for name in TYPES if not specs[name].get("draw_classes")] == ["daily_check"]
    assert [name for name in TYPES if specs[name].get("self_inspection")] == ["daily_check"]
    assert [name for name in TYPES if specs[name].get("theme")] == ["random_inspection"]


@pytest.mark.parametrize("folder", TYPES)
def test_inspection_type_needs_no_python(folder: str) -> None:
    manifest = read(PLUGINS / folder / "plugin.toml")

    checklist = manifest["inspection"]["checklist"]
    grants = {*manifest["grants"]["fill"], *manifest["grants"]["read"]}

    # The semester's inspection also plans its campaign, which has tables of its own.
    assert bool(list((PLUGINS / folder).rglob("*.py"))) == (folder == "semester_inspection")
    assert manifest["inspection"]["clause"] in clause_keys()
    assert checklist == folder or manifest["requires"] == [checklist]
    assert grants <= ROLES
    assert not set(manifest["grants"]["fill"]) & set(manifest["grants"]["read"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_english_catalogue_is_complete_and_exact(folder: str) -> None:
    path = PLUGINS / folder / "translations" / "en" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = {m.id: m.string for m in read_po(file, locale="en") if m.id}

    if folder != "semester_inspection":  # its screens say more: tests/test_translations.py
        assert set(catalogue) == set(texts(folder))
    assert set(texts(folder)) <= set(catalogue)
    assert [key for key, value in catalogue.items() if not value] == []


def test_same_text_has_the_same_translation_in_all_folders() -> None:
    seen: dict[str, str] = {}
    for path in sorted(PLUGINS.glob("*/translations/en/LC_MESSAGES/messages.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="en"):
                if message.id:
                    assert seen.setdefault(message.id, message.string) == message.string, path


def test_every_rule_that_a_checklist_names_is_there(app: Flask) -> None:
    named = {
        item["rule"]
        for path in PLUGINS.glob("*/checklist.toml")
        for section in read(path)["section"]
        for item in section["item"]
        if "rule" in item
    }

    with app.app_context():
        known = {rule.key for rule in registry.rules()}

    assert len(named) == 8
    assert named <= known
