"""Describe checklists as their authors write them: TOML in, frozen pydantic values out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.parameters.definition import Key, Strict, Text


class ChoiceDefinition(Strict):
    """Name one answer that a choice item offers."""

    key: Key
    title: Text


class ItemDefinition(Strict):
    """Describe one check: its kind, its printed words and what its answer must satisfy."""

    key: Key
    kind: Key
    text: Text
    content: str = ""
    standard: str = ""
    clause: str = ""
    frequency: Literal["visit", "semester"] = "visit"
    required: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    labels: Annotated[tuple[Text, ...], Field(max_length=2)] = ()
    choices: tuple[ChoiceDefinition, ...] = ()
    rule: str | None = None
    closing: Literal["return_visit", "evidence"] = "evidence"
    urgent: bool = False
    applies_to: Literal["school", "township", "both"] = "school"
    per: Literal["child", "session"] | None = None
    needs_pupils: bool = False
    point_in_time: bool = False

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        """Refuse attributes that contradict each other or the kind."""
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is greater than maximum")
        if self.kind == "pair" and len(self.labels) not in (0, 2):
            raise ValueError("a pair has two labels")
        if self.kind == "choice" and not self.choices:
            raise ValueError("a choice needs choices = [{ key = …, title = … }]")
        if self.kind == "rule_result" and not self.rule:
            raise ValueError('a rule_result needs rule = "<plugin>.<rule>"')
        _refuse_repeated("choice", (choice.key for choice in self.choices))
        return self


class SectionDefinition(Strict):
    """Group the items of one inspection project (督导项目)."""

    title: Text
    key: Key | None = None
    project: int | None = None
    item: Annotated[tuple[ItemDefinition, ...], Field(min_length=1)]


class ChecklistDefinition(Strict):
    """Describe one version of a checklist."""

    key: Key
    version: Annotated[int, Field(ge=1)]
    valid_from: date
    title: str = ""
    section: Annotated[tuple[SectionDefinition, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_each_item_once(self) -> Self:
        """Refuse two items of one key: answers are joined on it for ever."""
        _refuse_repeated("item", (item.key for item in self.items()))
        return self

    def items(self) -> Iterator[ItemDefinition]:
        """Yield the items of all sections in printed order."""
        for section in self.section:
            yield from section.item

    @property
    def digest(self) -> str:
        """Return a fingerprint that changes with any attribute, and with nothing else."""
        body = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()


def _refuse_repeated(noun: str, keys: Iterator[str]) -> None:
    """Raise when a key occurs twice."""
    repeated = sorted(key for key, count in Counter(keys).items() if count > 1)
    if repeated:
        raise ValueError(f"{noun} key used twice: {', '.join(repeated)}")
