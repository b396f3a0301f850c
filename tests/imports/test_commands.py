"""Import and export from the command line."""

from __future__ import annotations

import openpyxl
import pytest
from sqlalchemy import func, select

from app.models import Change, Child, ImportBatch, ImportFault, Township


@pytest.fixture
def roster(sheets, ground, tmp_path):
    lines = sheets.roster(6, [("修仁中学", ["七年级1班"])], bad=[2])
    path = tmp_path / "学生.xlsx"
    path.write_bytes(sheets.workbook(lines, title="荔浦市学生信息"))
    return path


def test_a_file_is_judged_loaded_and_taken_back(app, county, roster, tmp_path):
    runner, errors = app.test_cli_runner(), tmp_path / "errors.xlsx"

    dry = runner.invoke(args=["import", "child", str(roster), "--dry-run"])
    done = runner.invoke(args=["import", "child", str(roster), "--errors", str(errors)])
    again = runner.invoke(args=["import", "child", str(roster)])

    assert "5 added" in dry.output
    assert (dry.exit_code, done.exit_code, again.exit_code) == (1, 1, 1)
    assert "5 added, 0 changed, 0 skipped, 1 failed" in done.output
    assert "0 added, 0 changed, 5 skipped, 1 failed" in again.output
    assert county.scalar(select(func.count(Child.id))) == 5
    rows = list(openpyxl.load_workbook(errors).active.iter_rows(values_only=True))
    assert rows[3][0] == 5
    assert county.scalar(select(ImportFault.number).limit(1)) == 5
    batches = county.scalar(select(func.count(Change.id)).where(Change.action == "import"))
    assert batches == 2
    batch = county.scalar(select(func.min(ImportBatch.id)))
    undone = runner.invoke(args=["undo-import", str(batch)])
    assert undone.exit_code == 0, undone.output
    assert county.scalar(select(func.count(Child.id))) == 0


def test_templates_and_exports_are_written(app, county, tmp_path):
    county.township("新坪镇")
    runner = app.test_cli_runner()
    files = [tmp_path / name for name in ("t.xlsx", "out.xlsx", "out.csv", "out.pdf")]

    made = runner.invoke(args=["import", "school", "--template", str(files[0])])
    outs = [runner.invoke(args=["export", "township", "--out", str(file)]) for file in files[1:]]
    back = runner.invoke(args=["import", "township", str(files[2])])

    assert made.exit_code == 0, made.output
    assert [out.exit_code for out in outs] == [0, 0, 1]
    assert "0 failed" in back.output
    assert county.scalar(select(func.count(Township.id))) == 1
    assert county.scalar(select(func.count(Change.id)).where(Change.action == "export")) == 2


def test_an_unknown_entity_and_a_missing_file_are_told(app, county):
    runner = app.test_cli_runner()

    unknown = runner.invoke(args=["import", "pupil", "--template", "x.xlsx"])
    nothing = runner.invoke(args=["import", "child"])

    assert unknown.exit_code == nothing.exit_code == 2
    assert "child" in unknown.output
