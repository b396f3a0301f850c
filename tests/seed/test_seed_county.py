"""Check townships and liaison assignments against the policy's annex 2."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

SEED = Path(__file__).resolve().parents[2] / "seed"


def rows(name: str, table: str) -> list[dict[str, Any]]:
    """Return the rows of one table of a seed file."""
    return list(tomllib.loads((SEED / f"{name}.toml").read_text(encoding="utf-8"))[table])


def annex_2() -> dict[str, tuple[str, list[str]]]:
    """Read leader and inspectors of each township from the policy's text."""
    lines = (SEED / "policy" / "lp24" / "text.txt").read_text(encoding="utf-8").splitlines()
    start = lines.index("挂点乡镇\t责任领导\t责任人（责任督学）") + 1
    cells = [line.split("\t") for line in lines[start:]]
    return {
        township: (leader.replace(" ", ""), people.split()) for township, leader, people in cells
    }


def test_county_is_the_county_level_city() -> None:
    county = tomllib.loads((SEED / "county.toml").read_text(encoding="utf-8"))["county"]

    assert (county["code"], county["name"]) == ("450381", "荔浦市")


def test_townships_are_those_of_annex_2() -> None:
    townships = rows("townships", "township")

    assert [t["name"] for t in townships] == list(annex_2())
    assert [t["position"] for t in townships] == list(range(1, 14))
    assert len({t["code"] for t in townships}) == 13
    assert all(t["code"].startswith("450381") and len(t["code"]) == 9 for t in townships)
    assert all(t["go_live_on"] >= date(2024, 2, 26) for t in townships)


def test_huajian_keeps_its_other_spelling() -> None:
    aliases = {t["name"]: t["alias"] for t in rows("townships", "township") if "alias" in t}

    assert aliases == {"花笕镇": "花箦镇"}


def test_liaison_equals_annex_2() -> None:
    liaison = rows("liaison", "liaison")

    found = {row["township"]: (row["leader"], row["inspectors"]) for row in liaison}

    assert found == annex_2()
    assert len(liaison) == 13
    assert all(row["from"] == date(2024, 2, 26) for row in liaison)


def test_liaison_counts_4_leaders_and_70_inspectors() -> None:
    liaison = rows("liaison", "liaison")
    inspectors = [name for row in liaison for name in row["inspectors"]]

    assert {row["leader"] for row in liaison} == {"叶少华", "罗燕", "钟星子", "黄杏华"}
    assert len(inspectors) == len(set(inspectors)) == 70
    assert not [name for name in inspectors if " " in name]
