"""Read checklists as authors write them; every mistake is named with its path."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.checklists.definition import ChecklistDefinition
from app.host.manifest import Manifest, explain


def checklist(*items: dict, **values: object) -> dict:
    """Return a checklist document of one section."""
    return {
        "key": "buses",
        "version": 1,
        "valid_from": "2024-02-26",
        "section": [{"title": "Buses", "item": list(items) or [item()]}],
        **values,
    }


def item(key: str = "papers", **values: object) -> dict:
    """Return an item."""
    return {"key": key, "kind": "plain", "text": "Papers", **values}


def test_defaults_are_those_of_the_guide() -> None:
    (read,) = ChecklistDefinition.model_validate(checklist()).items()

    assert (read.frequency, read.required, read.applies_to) == ("visit", False, "school")
    assert (read.closing, read.urgent, read.per) == ("evidence", False, None)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"kind": "choice"}, "section[1].item[1]"),
        ({"kind": "pair", "labels": ["one"]}, "section[1].item[1]"),
        ({"kind": "rule_result"}, "section[1].item[1]"),
        ({"minimum": 3, "maximum": 2}, "section[1].item[1]"),
        ({"frequency": "daily"}, "section[1].item[1].frequency"),
        ({"colour": "red"}, "section[1].item[1].colour"),
        ({"key": "Papers"}, "section[1].item[1].key"),
        ({"text": ""}, "section[1].item[1].text"),
        ({"closing": "never"}, "section[1].item[1].closing"),
    ],
)
def test_wrong_item_is_named_by_its_path(wrong, path) -> None:
    with pytest.raises(ValidationError) as caught:
        ChecklistDefinition.model_validate(checklist(item(**wrong)))

    assert path in [at for at, _ in explain(caught.value)]


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        ChecklistDefinition.model_validate(checklist(item(colour=1), item("other", size=2)))

    paths = [at for at, _ in explain(caught.value)]
    assert paths == ["section[1].item[1].colour", "section[1].item[2].size"]


def test_item_key_is_used_once_in_all_sections() -> None:
    body = checklist()
    body["section"].append(body["section"][0])

    with pytest.raises(ValidationError, match="papers"):
        ChecklistDefinition.model_validate(body)


def test_digest_follows_every_attribute_and_no_order_of_keys() -> None:
    first = ChecklistDefinition.model_validate(checklist())
    turned = ChecklistDefinition.model_validate(dict(reversed(checklist().items())))
    other = ChecklistDefinition.model_validate(checklist(item(required=True)))

    assert first.digest == turned.digest
    assert first.digest != other.digest


@pytest.mark.parametrize(
    ("version", "core"), [("one", ">=1"), ("2024.1", "about one"), ("", ">=1")]
)
def test_manifest_refuses_what_is_no_version(version, core) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate({"name": "a", "title": "A", "version": version, "core": core})


@pytest.mark.parametrize(
    ("core", "fits"), [(">=1.0,<2", True), (">=2", False), ("==1.0.0", True), ("<1", False)]
)
def test_manifest_fits_a_range_of_cores(core, fits) -> None:
    manifest = Manifest.model_validate(
        {"name": "a", "title": "A", "version": "2024.1", "core": core}
    )

    assert manifest.fits("1.0.0") is fits
