"""Test that a plugin translates its own texts, and none of the core or of another plugin."""

from __future__ import annotations

from app import host
from tests.host.conftest import CHECKLIST, INSPECTION, active, problems

CATALOGUE = "translations/{language}/LC_MESSAGES/messages.po"
HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
PAGE = "{{ _('In a template') }}"


def catalogue(**texts: str) -> str:
    pairs = (f'\nmsgid "{text}"\nmsgstr "{said}"\n' for text, said in texts.items())
    return HEAD + "".join(pairs)


def test_texts_that_are_not_the_plugins_are_named_and_the_plugin_serves_on(boot) -> None:
    files = {
        "plugin.toml": INSPECTION,
        "checklist.toml": CHECKLIST,
        "hooks.py": 'WORDS = "Said in Python"\n',
        "templates/page.html": PAGE,
        CATALOGUE.format(language="zh"): catalogue(
            **{"Papers": "材料", "Said in Python": "代码", "In a template": "模板", "Save": "存"}
        ),
    }

    application = boot({"stray": files, "tidy": {**files, CATALOGUE.format(language="zh"): HEAD}})

    assert active(application) == ["stray", "tidy"]
    assert problems(application, "stray") == ["W094", "W095"]
    assert problems(application, "tidy") == []
    found = host.host_of(application).find("stray").late_problems[0]
    assert found.level == "warning"
    assert "“Save”" in str(found.message)
    assert "Papers" not in str(found.message)


def test_text_of_the_core_is_said_as_the_core_says_it(boot) -> None:
    differing = {
        "plugin.toml": INSPECTION,
        "checklist.toml": CHECKLIST.replace("Papers", "School"),
        CATALOGUE.format(language="zh"): catalogue(School="校"),
    }
    same = {**differing, CATALOGUE.format(language="zh"): catalogue(School="学校")}

    application = boot({"differing": differing, "same": same})

    assert problems(application, "differing") == ["W095"]
    assert problems(application, "same") == []
