"""Check child statuses and code domains."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

SEED = Path(__file__).resolve().parents[2] / "seed"
DECIDED = {
    "enrolled", "suspected", "pending_determination", "dropped_out", "returned",
    "medical_suspension", "medical_deferral", "policy_suspension", "policy_deferral",
    "home_taught", "transfer_under_way", "transferred", "out_of_county", "lost_contact",
    "without_registration", "graduated", "deceased", "abroad", "not_enrolled",
}  # fmt: skip


def rows(name: str, table: str) -> list[dict[str, Any]]:
    """Return the rows of one table of a seed file."""
    return list(tomllib.loads((SEED / f"{name}.toml").read_text(encoding="utf-8"))[table])


def test_statuses_are_the_decided_ones() -> None:
    statuses = rows("status", "status")

    assert Counter(s["key"] for s in statuses) == Counter(DECIDED)
    assert len({s["name"] for s in statuses}) == len(statuses)
    assert [s["position"] for s in statuses] == list(range(1, len(statuses) + 1))


def test_allowed_next_statuses_exist_and_are_named_once() -> None:
    for status in rows("status", "status"):
        assert set(status["next"]) <= DECIDED, status["key"]
        assert len(set(status["next"])) == len(status["next"]), status["key"]


def test_every_status_but_the_last_ones_can_be_left_and_reached() -> None:
    statuses = {s["key"]: s for s in rows("status", "status")}
    reachable = {key for s in statuses.values() for key in s["next"]}

    assert {key for key, s in statuses.items() if not s["next"]} == {"graduated", "deceased"}
    assert reachable == DECIDED


def test_drop_out_comes_only_after_determination() -> None:
    leading = [s["key"] for s in rows("status", "status") if "dropped_out" in s["next"]]

    assert leading == ["pending_determination"]


def test_returned_and_policy_suspended_children_stay_monitored() -> None:
    monitored = {s["key"] for s in rows("status", "status") if s["is_monitored"]}

    assert monitored >= {"suspected", "dropped_out", "returned", "policy_suspension"}
    assert not monitored & {"enrolled", "graduated", "deceased", "medical_suspension"}


def test_deferral_is_never_an_enrolment() -> None:
    statuses = {s["key"]: s for s in rows("status", "status")}

    assert not statuses["policy_deferral"]["is_enrolled"]
    assert not statuses["medical_deferral"]["is_enrolled"]
    assert statuses["policy_suspension"]["is_enrolled"]


def test_codes_are_unique_within_their_domain_and_numbered() -> None:
    domains: dict[str, list[dict[str, Any]]] = {}
    for code in rows("codes", "code"):
        domains.setdefault(code["domain"], []).append(code)

    assert set(domains) >= {
        "special_group", "visit_reason", "visit_method", "visit_outcome",
        "guardian_relation", "organisation_kind", "superior_authority",
    }  # fmt: skip
    for codes in domains.values():
        assert len({code["key"] for code in codes}) == len(codes)
        assert len({code["name"] for code in codes}) == len(codes)
        assert [code["position"] for code in codes] == list(range(1, len(codes) + 1))


def test_joint_visits_know_the_departments_that_count() -> None:
    kinds = {c["key"] for c in rows("codes", "code") if c["domain"] == "organisation_kind"}

    assert kinds >= {
        "township_government", "judicial_office", "police_station", "womens_federation",
        "disabled_federation", "civil_affairs", "county_department", "village_committee",
    }  # fmt: skip
