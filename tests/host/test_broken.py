"""Part 4: plugins broken in every way: the others serve on; the problem says how to mend it."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import configure_mappers

from app import host
from app.base import Model, registry
from app.host import imports
from app.host.discovery import read_folder
from app.host.fault import BrokenPlugins
from app.host.plugin import Plugin
from app.host.problem import CATALOGUE
from app.models import School
from tests.host.conftest import CHECKLIST, INSPECTION, MANIFEST, MODELS, RULES, active, problems

GOOD = {"plugin.toml": INSPECTION, "checklist.toml": CHECKLIST, "models.py": MODELS}
HOOK = "from app.kit import hookimpl\n"
ENTITIES = """
from app.kit import Child, Entity, ImportColumn, Key, hookimpl

name = ImportColumn("name", "Name")
ride = Entity(key="child", title="Ride", model=Child, columns=(name,), keys=(Key(("name",)),))

@hookimpl
def entities():
    return [ride]
"""
PANELS = """
from app.kit import Panel, PanelContent, hookimpl

@hookimpl
def panels():
    return [Panel("{name}.rides", "Rides", 1, "ChildView", lambda session, child: PanelContent())]
"""
POLICY = """
[document]
key = "P"
title = "P"
issuer = "P"
issued_on = 2024-02-26
valid_from = 2024-02-26
text_file = "{file}"
[[clause]]
key = "P-1"
text = "P"
"""
BROKEN = {
    "no manifest": ({"rules.py": ""}, "E001"),
    "bad toml": ({"plugin.toml": "name = [unclosed"}, "E002"),
    "bad toml in the checklist": (
        {"plugin.toml": MANIFEST, "checklist.toml": 'key = "x'},
        "E002",
    ),
    "unknown key": ({"plugin.toml": MANIFEST + "colour = 1\n"}, "E003"),
    "unknown cadence": (
        {"plugin.toml": INSPECTION + 'cadence = { every = "week" }\n', "checklist.toml": CHECKLIST},
        "E003",
    ),
    "pair of one label": (
        {"plugin.toml": MANIFEST, "checklist.toml": CHECKLIST + 'labels = ["a", "b", "c"]\n'},
        "E003",
    ),
    "other name than the folder": (
        {"plugin.toml": MANIFEST.replace('name = "{name}"', 'name = "somebody"')},
        "E004",
    ),
    "written for another core": (
        {"plugin.toml": MANIFEST.replace(">=1.0,<2", ">=7")},
        "E005",
    ),
    "missing requirement": ({"plugin.toml": MANIFEST + 'requires = ["nobody"]\n'}, "E006"),
    "requires itself": ({"plugin.toml": MANIFEST + 'requires = ["{name}"]\n'}, "E008"),
    "import error": ({"plugin.toml": MANIFEST, "rules.py": "import nothing_of_this_name"}, "E010"),
    "syntax error": ({"plugin.toml": MANIFEST, "hooks.py": "def ("}, "E010"),
    "unknown hook": (
        {"plugin.toml": MANIFEST, "hooks.py": HOOK + "@hookimpl\ndef rulez(): return []\n"},
        "E011",
    ),
    "unknown hook argument": (
        {"plugin.toml": MANIFEST, "hooks.py": HOOK + "@hookimpl\ndef rules(now): return []\n"},
        "E012",
    ),
    "hook that raises": (
        {"plugin.toml": MANIFEST, "hooks.py": HOOK + "@hookimpl\ndef rules(): return 1 / 0\n"},
        "E013",
    ),
    "hook that returns something else": (
        {"plugin.toml": MANIFEST, "hooks.py": HOOK + "@hookimpl\ndef rules(): return ['rule']\n"},
        "E014",
    ),
    "import behind the kit": (
        {"plugin.toml": MANIFEST, "rules.py": "from app.models import School"},
        "E015",
    ),
    "import of another plugin": (
        {"plugin.toml": MANIFEST, "rules.py": "from plugins.good_one import models"},
        "E015",
    ),
    "unknown item kind": (
        {"plugin.toml": MANIFEST, "checklist.toml": CHECKLIST.replace("document", "hologram")},
        "E020",
    ),
    "checklist key that is taken": (
        {"plugin.toml": MANIFEST, "checklist.toml": CHECKLIST.replace("{name}", "good_one")},
        "E023",
    ),
    "inspection without checklist": ({"plugin.toml": INSPECTION}, "E024"),
    "model without scope": (
        {"plugin.toml": MANIFEST, "models.py": MODELS.replace("Scoped, Audited, Base", "Base")},
        "E030",
    ),
    "table without prefix": (
        {"plugin.toml": MANIFEST, "models.py": MODELS.replace("plg_{name}_ride", "ride_{name}")},
        "E031",
    ),
    "table of the core": (
        {"plugin.toml": MANIFEST, "models.py": MODELS.replace("plg_{name}_ride", "school")},
        "E032",
    ),
    "bad mapper": (
        {
            "plugin.toml": MANIFEST,
            "models.py": "from sqlalchemy.orm import relationship\n"
            + MODELS
            + '    wheels = relationship("Wheel")\n',
        },
        "E033",
    ),
    "key to another plugin's table": (
        {
            "plugin.toml": MANIFEST,
            "models.py": "from sqlalchemy import ForeignKey\n"
            + MODELS
            + "    other: Mapped[int] = mapped_column(ForeignKey('plg_good_one_ride.id'))\n",
        },
        "E034",
    ),
    "backref onto a core class": (
        {
            "plugin.toml": MANIFEST,
            "models.py": "from sqlalchemy.orm import relationship\n"
            "from sqlalchemy import ForeignKey\nfrom app.kit import School\n"
            + MODELS
            + "    stop_id: Mapped[int] = mapped_column(ForeignKey('school.id'))\n"
            "    stop = relationship(School, foreign_keys=[stop_id], backref='{name}_rides')\n",
        },
        "E035",
    ),
    "model on the core's base": (
        {"plugin.toml": MANIFEST, "models.py": "from flask_appbuilder import Model"},
        "E038",
    ),
    "column that breaks forms": (
        {"plugin.toml": MANIFEST, "models.py": MODELS.replace("driver", "data")},
        "E041",
    ),
    "select that raises": (
        {
            "plugin.toml": MANIFEST,
            "rules.py": RULES.replace("return select(", "raise ValueError(1)\n    return select("),
        },
        "E050",
    ),
    "misspelt column": (
        {"plugin.toml": MANIFEST, "rules.py": RULES.replace("School.id.label", "School.idd.label")},
        "E051",
    ),
    "misspelt column of a bare table": (
        {
            "plugin.toml": MANIFEST,
            "rules.py": "from sqlalchemy import column, table\n"
            "bare = table('school', column('nmae'))\n"
            + RULES.replace('literal(1).label("observed")', "bare.c.nmae.label('observed')"),
        },
        "E051",
    ),
    "rule key of somebody else": (
        {"plugin.toml": MANIFEST, "rules.py": RULES.replace('"{name}.all"', '"other.all"')},
        "E052",
    ),
    "wrong columns": (
        {"plugin.toml": MANIFEST, "rules.py": RULES.replace('.label("required")', '.label("req")')},
        "E053",
    ),
    "word that a rule does not know": (
        {"plugin.toml": MANIFEST, "rules.py": RULES.replace('"warning"', '"fatal"')},
        "E054",
    ),
    "module that ends the process": (
        {"plugin.toml": MANIFEST, "rules.py": "import sys\nsys.exit(1)\n"},
        "E010",
    ),
    "hook that ends the process": (
        {
            "plugin.toml": MANIFEST,
            "hooks.py": HOOK + "@hookimpl\ndef rules(): raise SystemExit(1)\n",
        },
        "E013",
    ),
    "wording that is not there": (
        {"plugin.toml": MANIFEST, "policy.toml": POLICY.replace("{file}", "text.txt")},
        "E026",
    ),
    "wording from elsewhere": (
        {
            "plugin.toml": MANIFEST,
            "policy.toml": POLICY.replace("{file}", "../good_one/plugin.toml"),
        },
        "E026",
    ),
    "undeclared setting": (
        {"plugin.toml": MANIFEST, "rules.py": RULES.replace("literal(1)", "literal(settings.x)")},
        "E056",
    ),
    "entity of the core": ({"plugin.toml": MANIFEST, "hooks.py": ENTITIES}, "E058"),
    "entity twice": (
        {
            "plugin.toml": MANIFEST,
            "hooks.py": ENTITIES.replace('key="child"', 'key="ride"').replace(
                "[ride]", "[ride, ride]"
            ),
        },
        "E058",
    ),
    "panel key of somebody else": (
        {"plugin.toml": MANIFEST, "views.py": PANELS.replace("{name}.rides", "other.rides")},
        "E064",
    ),
    "panel twice": (
        {
            "plugin.toml": MANIFEST,
            "views.py": PANELS.replace("return [", "return 2 * ["),
        },
        "E058",
    ),
    "panels that are none": (
        {"plugin.toml": MANIFEST, "views.py": PANELS.replace("Panel(", "PanelContent(")},
        "E013",
    ),
    "unknown role": (
        {"plugin.toml": MANIFEST + '[grants]\nread = ["king"]\n'},
        "E070",
    ),
    "unknown capacity": (
        {
            "plugin.toml": INSPECTION.replace('"school_leader"', '"king"'),
            "checklist.toml": CHECKLIST,
        },
        "E070",
    ),
    "cadence of a column that is not there": (
        {
            "plugin.toml": INSPECTION + 'cadence = { every = "month", only = { boarding = true } }',
            "checklist.toml": CHECKLIST,
        },
        "E025",
    ),
    "grant on no view": (
        {"plugin.toml": MANIFEST + '[[grants.view]]\nname = "Nothing"\nread = []\n'},
        "E071",
    ),
}


@pytest.mark.parametrize(("files", "number"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_plugin_leaves_the_others_serving(boot, files, number) -> None:
    application = boot({"good_one": GOOD, "zz_broken": files})

    assert active(application) == ["good_one"]
    assert number in problems(application, "zz_broken")
    with application.app_context():
        assert [kind.key for kind in registry.inspection_types()] == ["good_one"]
        for found in registry.problems():
            assert str(found.message)
            assert str(found.hint)
            assert "%(" not in f"{found.message}{found.hint}"
            assert found.where.startswith("zz_broken")


@pytest.mark.parametrize(("files", "number"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_plugin_leaves_no_trace_in_the_models(boot, files, number) -> None:
    tables = set(Model.metadata.tables)
    columns = set(School.__table__.columns.keys())
    relations = set(inspect(School).relationships.keys())

    boot({"zz_broken": files})

    configure_mappers()
    assert set(Model.metadata.tables) == tables
    assert set(School.__table__.columns.keys()) == columns
    assert set(inspect(School).relationships.keys()) == relations
    assert list(imports.plugin_classes("zz_broken")) == []


def test_strict_start_names_every_problem(boot) -> None:
    with pytest.raises(BrokenPlugins) as caught:
        boot({"zz_broken": {"plugin.toml": MANIFEST + "colour = 1\nsize = 2\n"}}, strict=True)

    assert [found.id for found in caught.value.problems] == ["E003", "E003"]


def test_requiring_plugin_is_inactive_with_the_reason(boot) -> None:
    needing = {"plugin.toml": MANIFEST + 'requires = ["aa_broken"]\n'}

    application = boot(
        {"aa_broken": {"plugin.toml": MANIFEST, "rules.py": "import nothing"}, "needing": needing}
    )

    assert active(application) == []
    assert problems(application, "needing") == ["E007"]


def test_requirement_is_loaded_first_whatever_its_name(boot) -> None:
    needing = {"plugin.toml": MANIFEST + 'requires = ["zz_base"]\n'}

    application = boot({"aa_needing": needing, "zz_base": {"plugin.toml": MANIFEST}})

    assert active(application) == ["zz_base", "aa_needing"]


def test_circle_of_requirements_is_named(boot) -> None:
    application = boot(
        {
            "first": {"plugin.toml": MANIFEST + 'requires = ["second"]\n'},
            "second": {"plugin.toml": MANIFEST + 'requires = ["first"]\n'},
        }
    )

    assert active(application) == []
    assert "E008" in problems(application, "first")
    assert "E008" in problems(application, "second")


def test_two_plugins_may_use_one_class_name(boot) -> None:
    application = boot({"bus_one": GOOD, "bus_two": GOOD})

    assert active(application) == ["bus_one", "bus_two"]
    names = {table.name for plugin in host.host_of(application).plugins for table in plugin.tables}
    assert names == {"plg_bus_one_ride", "plg_bus_two_ride"}


def test_two_applications_share_one_import(boot) -> None:
    first = boot({"bus_shared": GOOD | {"rules.py": RULES}})

    second = boot({"bus_shared": GOOD | {"rules.py": RULES}})

    one, two = (host.host_of(each).find("bus_shared") for each in (first, second))
    assert one.modules["models"] is two.modules["models"]
    assert one.tables == two.tables
    assert len(two.offers.rules) == 1


def test_same_name_in_another_folder_leaves_the_first_alone(boot, tmp_path) -> None:
    first = boot({"bus_twin": GOOD})
    twin = tmp_path / "elsewhere" / "bus_twin"
    shutil.copytree(tmp_path / "plugins" / "bus_twin", twin)
    folder = read_folder(twin, "1.0.0")

    second = host.Host(first)
    second.plugins = [Plugin(folder)]
    with first.app_context():
        second.load()

    assert [found.id for found in folder.problems] == ["E009"]
    assert [model.__name__ for model in imports.plugin_classes("bus_twin")] == ["Ride"]


def test_catalogue_has_levels_by_the_letter() -> None:
    for number, entry in CATALOGUE.items():
        assert entry.level == {"E": "error", "W": "warning"}[number[0]]
        assert entry.hint
