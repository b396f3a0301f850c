"""Part 11: test that the catalogues are complete and say the same in both languages."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from app.cli import translations
from app.host.texts import catalogue

ROOT = Path(__file__).resolve().parent.parent


def write_catalogue(root: Path, language: str, texts: dict[str, str]) -> Path:
    path = root / "translations" / language / translations.DOMAIN
    path.parent.mkdir(parents=True, exist_ok=True)
    written = Catalog(locale=language)
    for text, translation in texts.items():
        written.add(text, translation)
    with path.open("wb") as target:
        write_po(target, written)
    return path


def of_fab() -> dict[str, str]:
    return dict.fromkeys(translations.untranslated_by_fab(), "有")


def test_every_text_has_its_chinese_or_its_english() -> None:
    missing = [f"{gap.reason}: {gap.text}" for gap in translations.gaps(ROOT)]

    assert missing == []


def test_the_texts_that_fab_left_in_english_are_ours() -> None:
    left = translations.untranslated_by_fab()

    assert {"Add", "Edit", "Delete", "Show", "Database Error"} <= left


def test_one_text_means_the_same_in_all_folders() -> None:
    meanings: dict[tuple[str, str], set[str]] = {}
    for path in translations.catalogues(ROOT):
        for message in catalogue(path):
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
    write_catalogue(tmp_path, "zh", {**of_fab(), "Save %(name)s": translation})

    found = list(translations.gaps(tmp_path))

    assert [(gap.text, gap.reason) for gap in found] == [("Save %(name)s", reason)]


def test_chinese_of_seed_and_plugins_without_english_is_a_gap(tmp_path: Path) -> None:
    seed, plugin = tmp_path / "seed", tmp_path / "plugins" / "bus"
    seed.mkdir()
    plugin.mkdir(parents=True)
    shutil.copy(ROOT / "seed" / "calendar.toml", seed)
    (seed / "codes.toml").write_text('[[code]]\nname = "厌学"\n[[code]]\nname = "其他"\n', "utf-8")
    (seed / "townships.toml").write_text('[[township]]\nname = "某镇"\n', "utf-8")
    (plugin / "plugin.toml").write_text('name = "bus"\ntitle = "校车督导"\n', "utf-8")
    (plugin / "checklist.toml").write_text(
        'title = "其他"\n[[section]]\ntitle = "车况"\n[[section.item]]\n'
        'labels = ["座位数", "Riders"]\n',
        "utf-8",
    )
    held = dict.fromkeys(translations.wanted_texts(tmp_path, "en") - {"厌学"}, "held")
    write_catalogue(tmp_path, "zh", of_fab())
    write_catalogue(tmp_path, "en", held)
    write_catalogue(plugin, "en", {"校车督导": "School buses", "年级": "Grade"})

    found = {(gap.text, gap.reason) for gap in translations.gaps(tmp_path)}

    assert found == {
        ("厌学", "not translated"),
        ("车况", "not translated"),
        ("座位数", "not translated"),
        ("Riders", "not translated"),
        ("年级", "not a text of this plugin"),
    }


def test_update_keeps_what_is_translated_and_drops_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "seed").mkdir()
    shutil.copy(ROOT / "seed" / "calendar.toml", tmp_path / "seed")
    path = write_catalogue(tmp_path, "en", {"国庆节": "National Day", "已删": "Gone"})

    translations.update(tmp_path)

    held = {str(one.id): one.string for one in catalogue(path)}
    assert held["国庆节"] == "National Day"
    assert held["2026—2027学年上学期"] == ""
    assert "已删" not in held


KEY = re.compile(r"""(?<!Panel\()["']core\.([a-z0-9_]+)["']""")
"""A key of a parameter in quotes; the keys of panels are built alike."""


def test_parameters_of_the_core_are_declared_under_the_keys_that_code_uses() -> None:
    policies = sorted(ROOT.glob("seed/policy/*/parameters.toml"))
    declared = {
        name
        for path in policies
        for name in tomllib.loads(path.read_text(encoding="utf-8")).get("core", {})
    }
    code = [path for home in ("app", "plugins") for path in sorted((ROOT / home).rglob("*.py"))]

    unknown = [
        f"{path.relative_to(ROOT)}: core.{name}"
        for path in code
        for name in KEY.findall(path.read_text(encoding="utf-8"))
        if name not in declared
    ]

    assert declared
    assert unknown == []


def test_catalogue_is_compiled_again_only_when_it_changed(tmp_path: Path) -> None:
    write_catalogue(tmp_path, "en", {"保存": "Save"})

    first, second = (translations.compile_catalogues(tmp_path) for _ in range(2))

    assert (first, second) == (1, 0)


def test_a_broken_catalogue_keeps_the_others_from_nothing(tmp_path: Path, capsys) -> None:
    for name, text in (("broken", b'msgid "\xff\xfe"\nmsgstr "\x80"\n'), ("sound", b"")):
        path = tmp_path / "plugins" / name / "translations" / "en" / "LC_MESSAGES" / "messages.po"
        path.parent.mkdir(parents=True)
        path.write_bytes(text)

    done = translations.compile_catalogues(tmp_path)

    assert done == 1
    assert "broken" in capsys.readouterr().err
