"""Checklists: how they are described, published, and turned into forms."""

from __future__ import annotations
