"""Help the authors of plugins to test them."""

from __future__ import annotations

from app.testing.contract import PluginContract

__all__ = ["PluginContract"]
