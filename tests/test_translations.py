"""Test that the catalogues are complete and say the same in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from app.cli import translations

ROOT = Path(__file__).resolve().parent.parent


def write_catalogue(root: Path, language: str, texts: dict[str, str]) -> Path:
    path = root / "translations" / language / translations.DOMAIN
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue = Catalog(locale=language)
    for text, translation in texts.items():
        catalogue.add(text, translation)
    with path.open("wb") as target:
        write_po(target, catalogue)
    return path


def test_every_text_of_the_core_has_its_chinese() -> None:
    missing = [f"{gap.reason}: {gap.text}" for gap in translations.gaps(ROOT)]

    assert missing == []


def test_the_texts_that_fab_left_in_english_are_ours() -> None:
    left = translations.untranslated_by_fab()

    assert {"Add", "Edit", "Delete", "Show", "Database Error"} <= left


def test_one_text_means_the_same_in_all_folders() -> None:
    meanings: dict[tuple[str, str], set[str]] = {}
    for path in translations.catalogues(ROOT):
        with path.open("rb") as source:
            for message in read_po(source):
                if message.id and message.string:
                    key = (path.parent.parent.name, str(message.id))
                    meanings.setdefault(key, set()).add(str(message.string))

    assert {key: said for key, said in meanings.items() if len(said) > 1} == {}


@pytest.mark.parametrize(
    ("translation", "reason"),
    [
        ("", "not translated"),
        ("保存 %(other)s", "other placeholders"),
    ],
)
def test_gap_is_reported(tmp_path: Path, translation: str, reason: str) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "page.py").write_text('text = _("Save %(name)s", name=1)\n', "utf-8")
    fab = dict.fromkeys(translations.untranslated_by_fab(), "有")
    write_catalogue(tmp_path, "zh", {**fab, "Save %(name)s": translation})

    found = list(translations.gaps(tmp_path))

    assert [(gap.text, gap.reason) for gap in found] == [("Save %(name)s", reason)]


def test_catalogue_is_compiled_again_only_when_it_changed(tmp_path: Path) -> None:
    write_catalogue(tmp_path, "en", {"保存": "Save"})

    first, second = (translations.compile_catalogues(tmp_path) for _ in range(2))

    assert (first, second) == (1, 0)
