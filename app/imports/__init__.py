"""Import rows from sheets and export them again."""

from __future__ import annotations

from app.imports.batch import Opened, check, entities, find_entity, open_file, store
from app.imports.entity import Column, Entity, Items, Key, Lookup
from app.imports.export import export
from app.imports.report import Result, error_workbook
from app.imports.template import template
from app.imports.undo import undo

__all__ = [
    "Column",
    "Entity",
    "Items",
    "Key",
    "Lookup",
    "Opened",
    "Result",
    "check",
    "entities",
    "error_workbook",
    "export",
    "find_entity",
    "open_file",
    "store",
    "template",
    "undo",
]
