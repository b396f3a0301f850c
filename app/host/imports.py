"""Import the Python of a plugin, once a process, and undo an import that failed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sqlalchemy import Table, inspect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.attributes import manager_of_class

from app.base import Model
from app.host.discovery import Folder

PACKAGE: Final = "plugins"
_tables: Final[dict[str, set[str]]] = {}


def import_module(folder: Folder, name: str) -> ModuleType:
    """Import one conventional module of a plugin as plugins.<name>.<module>."""
    before = set(Model.metadata.tables)
    try:
        _package(folder)
        return importlib.import_module(f"{PACKAGE}.{folder.name}.{name}")
    finally:
        added = set(Model.metadata.tables) - before
        _tables.setdefault(folder.name, set()).update(added)


def is_imported_from_elsewhere(folder: Folder) -> Path | None:
    """Return the other folder that the name was imported from in this process, if any."""
    package = sys.modules.get(f"{PACKAGE}.{folder.name}")
    paths = [Path(path) for path in getattr(package, "__path__", ())]
    return paths[0] if paths and paths[0].resolve() != folder.path.resolve() else None


def plugin_classes(name: str) -> Iterator[type[Any]]:
    """Yield the mapped classes that were declared in the plugin's modules."""
    prefix = f"{PACKAGE}.{name}."
    bases: list[type[Any]] = [*plugin_bases(name), Model]
    for base in bases:
        for cls in _subclasses(base):
            # A class whose mapping failed half-way is instrumented, but has no mapper.
            is_mapped = inspect(cls, raiseerr=False) is not None
            if is_mapped and (base is not Model or cls.__module__.startswith(prefix)):
                yield cls


def _subclasses(base: type[Any]) -> Iterator[type[Any]]:
    """Yield the subclasses of a class, at any depth."""
    for cls in base.__subclasses__():
        yield cls
        yield from _subclasses(cls)


def plugin_bases(name: str) -> list[type[DeclarativeBase]]:
    """Return the declarative bases that plugin_base made for this plugin."""
    return [
        base
        for base in DeclarativeBase.__subclasses__()
        if getattr(base, "plugin_name", None) == name
    ]


def forget(name: str) -> None:
    """Undo the import of a plugin: its mappers, tables and modules are gone afterwards."""
    of_core = [cls for cls in plugin_classes(name) if cls.registry is Model.registry]
    for base in plugin_bases(name):
        base.registry.dispose()
        base.plugin_name = ""
    for cls in of_core:
        # A class wrongly built on the core's base: there is no public way to unmap just one.
        manager = manager_of_class(cls)
        if manager is not None and manager.is_mapped:
            Model.registry._dispose_manager_and_mapper(manager)
    for table in tables_of(name):
        Model.metadata.remove(table)
    _tables.pop(name, None)
    for module in [key for key in sys.modules if f"{key}.".startswith(f"{PACKAGE}.{name}.")]:
        del sys.modules[module]


def tables_of(name: str) -> tuple[Table, ...]:
    """Return the tables that importing the plugin added to the metadata."""
    return tuple(
        table
        for key in sorted(_tables.get(name, ()))
        if (table := Model.metadata.tables.get(key)) is not None
    )


def _package(folder: Folder) -> ModuleType:
    """Return the package of a plugin; __init__.py may be absent."""
    _root()
    name = f"{PACKAGE}.{folder.name}"
    if name in sys.modules:
        return sys.modules[name]
    path = folder.path / "__init__.py"
    if path.is_file():
        spec = importlib.util.spec_from_file_location(
            name, path, submodule_search_locations=[str(folder.path)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(name)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    else:
        module = ModuleType(name)
        module.__path__ = [str(folder.path)]
        sys.modules[name] = module
    setattr(sys.modules[PACKAGE], folder.name, module)
    return module


def _root() -> None:
    """Make sure that the package of all plugins exists, wherever their folders lie."""
    if PACKAGE not in sys.modules:
        try:
            importlib.import_module(PACKAGE)
        except ModuleNotFoundError:
            root = ModuleType(PACKAGE)
            root.__path__ = []
            sys.modules[PACKAGE] = root
