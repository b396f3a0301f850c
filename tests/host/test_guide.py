"""Hold the author's guide to the code: every hook with its signature, every key, every number."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from app import kit
from app.checklists.definition import ChecklistDefinition, ItemDefinition, SectionDefinition
from app.checklists.kinds import CORE_KINDS
from app.host import hookspecs
from app.host.collect import hook_names
from app.host.manifest import Cadence, GrantSpec, InspectionSpec, Manifest
from app.host.problem import CATALOGUE
from app.parameters.definition import DatedValue, ParameterSpec

GUIDE = (Path(__file__).parents[2] / "plugins" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", hook_names())
def test_hook_is_documented_with_its_exact_signature(name) -> None:
    signature = str(inspect.signature(getattr(hookspecs, name))).replace("'", "")

    assert f"`{name}{signature}`" in GUIDE


@pytest.mark.parametrize("name", hook_names())
def test_hook_has_a_sentence_for_its_author(name) -> None:
    assert inspect.getdoc(getattr(hookspecs, name)).endswith(".")


@pytest.mark.parametrize(
    "model",
    [
        Manifest,
        InspectionSpec,
        Cadence,
        GrantSpec,
        ParameterSpec,
        DatedValue,
        ChecklistDefinition,
        SectionDefinition,
        ItemDefinition,
    ],
)
def test_every_key_is_documented(model) -> None:
    keys = [field.alias or name for name, field in model.model_fields.items()]

    assert [key for key in keys if f"`{key}`" not in GUIDE] == []


def test_every_item_kind_is_documented() -> None:
    assert [kind.key for kind in CORE_KINDS if f"`{kind.key}`" not in GUIDE] == []


def test_every_name_of_the_kit_is_documented() -> None:
    assert [name for name in kit.__all__ if f"`{name}`" not in GUIDE] == []


def test_every_problem_is_documented() -> None:
    assert [number for number in CATALOGUE if f"`{number}`" not in GUIDE] == []


def _rank(name: str) -> tuple[int, str]:
    """Order constants, classes, functions, as ruff sorts an __all__."""
    if name.isupper():
        return 0, name
    return (1 if name[0].isupper() else 2), name


def test_kit_is_sorted_and_complete() -> None:
    public = {
        name
        for name, value in vars(kit).items()
        if not name.startswith("__") and not inspect.ismodule(value) and name != "annotations"
    }

    assert list(kit.__all__) == sorted(kit.__all__, key=_rank)
    assert set(kit.__all__) == public
