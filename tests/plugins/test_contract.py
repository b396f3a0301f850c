"""Hold every folder of plugins/ to the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.testing import PluginContract

PLUGINS = Path(__file__).parents[2] / "plugins"
NAMES = sorted(path.parent.name for path in PLUGINS.glob("*/plugin.toml"))


class TestEveryPlugin(PluginContract):
    """Run the contract over the shipped plugins."""

    @pytest.fixture(autouse=True, params=NAMES)
    def _named(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


def test_every_folder_is_a_plugin() -> None:
    folders = {path.name for path in PLUGINS.iterdir() if path.is_dir()}

    assert {name for name in folders if not name.startswith(("_", "."))} == set(NAMES)
