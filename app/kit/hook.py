"""Mark hook implementations."""

from __future__ import annotations

from typing import Final

import pluggy

PROJECT: Final = "bureau"
hookimpl = pluggy.HookimplMarker(PROJECT)
