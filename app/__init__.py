"""控辍保学督导平台: an admin panel for dropout-prevention inspections in compulsory education."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from config import Config

__version__ = "1.0.0"


def create_app(config: Config | None = None) -> Flask:
    """Boot the product: read the plugins, bind the extensions, build the views, freeze.

    Raises :class:`config.Misconfigured` with one clear line where a setting is missing.
    """
    from app import boot

    return boot.boot(config)
