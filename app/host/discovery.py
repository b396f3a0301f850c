"""Read plugin folders: TOML and file names only; nothing is imported here."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from app.base import Problem
from app.checklists.definition import ChecklistDefinition
from app.host.manifest import Manifest, explain
from app.host.problem import problem
from app.parameters.policy import PolicyDefinition

MODULES: Final = ("models", "rules", "bulletins", "views", "hooks")
T = TypeVar("T", bound=BaseModel)


@dataclass(slots=True)
class Folder:
    """Hold what the files of one plugin say, before any of its Python runs."""

    name: str
    path: Path
    manifest: Manifest | None = None
    checklist: ChecklistDefinition | None = None
    policy: PolicyDefinition | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Return the plugin's title, or its folder's name while the manifest is unreadable."""
        return self.manifest.title if self.manifest else self.name

    @property
    def modules(self) -> tuple[str, ...]:
        """Return the conventional modules that the folder has, in the order of import."""
        return tuple(name for name in MODULES if self.has_module(name))

    def has_module(self, name: str) -> bool:
        """Tell whether the folder has this module, as a file or as a package."""
        return (self.path / f"{name}.py").is_file() or (self.path / name / "__init__.py").is_file()

    def subfolder(self, name: str) -> Path | None:
        """Return a folder inside the plugin if it is there."""
        path = self.path / name
        return path if path.is_dir() else None


def discover(directories: Iterable[Path], core_version: str) -> list[Folder]:
    """Read every plugin folder, in order of name; what is wrong is noted in the folder."""
    folders: dict[str, Folder] = {}
    for path in sorted(_candidates(directories), key=lambda path: path.name):
        folder = read_folder(path, core_version)
        if folder.name in folders:
            other = folders[folder.name].path.parent.name
            folders[folder.name].problems.append(problem("E009", path.name, other=other))
            continue
        folders[folder.name] = folder
    _check_requirements(folders)
    return in_order(folders)


def read_folder(path: Path, core_version: str) -> Folder:
    """Read one folder: its manifest, checklist, policy and the imports that its modules make."""
    folder = Folder(path.name, path)
    if not (path / "plugin.toml").is_file():
        folder.problems.append(problem("E001", path.name))
        return folder
    folder.manifest = _read(folder, "plugin.toml", Manifest)
    folder.checklist = _read(folder, "checklist.toml", ChecklistDefinition)
    folder.policy = _read(folder, "policy.toml", PolicyDefinition)
    folder.problems.extend(_manifest_problems(folder, core_version))
    folder.problems.extend(_import_problems(folder))
    return folder


def in_order(folders: dict[str, Folder]) -> list[Folder]:
    """Return the folders with every requirement before those that require it."""
    ordered: dict[str, Folder] = {}

    def place(folder: Folder) -> None:
        if folder.name in ordered:
            return
        ordered[folder.name] = folder
        for name in folder.manifest.requires if folder.manifest else ():
            if name in folders:
                place(folders[name])
        ordered[folder.name] = ordered.pop(folder.name)

    for name in sorted(folders):
        place(folders[name])
    return list(ordered.values())


def _candidates(directories: Iterable[Path]) -> Iterator[Path]:
    """Yield the folders that may be plugins."""
    for directory in directories:
        if not directory.is_dir():
            continue
        for path in directory.iterdir():
            if path.is_dir() and not path.name.startswith((".", "_")):
                yield path


def _read(folder: Folder, file: str, model: type[T]) -> T | None:
    """Read one TOML file into its definition, or note what is wrong with it."""
    path = folder.path / file
    if not path.is_file():
        return None
    where = f"{folder.name}/{file}"
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        folder.problems.append(problem("E002", where, file=file, detail=str(error)))
    except ValidationError as error:
        folder.problems.extend(
            problem("E003", where, file=file, path=at or "-", detail=detail)
            for at, detail in explain(error)
        )
    return None


def _manifest_problems(folder: Folder, core_version: str) -> Iterator[Problem]:
    """Yield what the manifest says that does not fit its folder or this core."""
    manifest, where = folder.manifest, f"{folder.name}/plugin.toml"
    if manifest is None:
        return
    if manifest.name != folder.name:
        yield problem("E004", where, name=manifest.name, folder=folder.name)
    if not manifest.fits(core_version):
        yield problem("E005", where, wanted=manifest.core, core=core_version)


def _import_problems(folder: Folder) -> Iterator[Problem]:
    """Yield the imports that reach behind app.kit or into another plugin."""
    for path in sorted(folder.path.rglob("*.py")):
        where = f"{folder.name}/{path.relative_to(folder.path)}"
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError):
            continue  # the import says it better
        for imported in _imported(tree):
            if imported == "flask_appbuilder.Model":
                yield problem("E038", where, model=path.name, name=folder.name)
            elif _is_forbidden(imported, folder.name):
                yield problem("E015", where, module=path.name, imported=imported)


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the absolute module names that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module in ("app", "flask_appbuilder"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def _is_forbidden(imported: str, name: str) -> bool:
    """Tell whether a plugin may not import this module."""
    if imported == "app" or imported.startswith("app."):
        return imported != "app.kit" and not imported.startswith("app.kit.")
    if imported.startswith("plugins."):
        return imported.split(".")[1] != name
    return imported == "config"


def _check_requirements(folders: dict[str, Folder]) -> None:
    """Note requirements that are missing, circular or broken themselves."""
    for folder in folders.values():
        for required in folder.manifest.requires if folder.manifest else ():
            where = f"{folder.name}/plugin.toml"
            if required not in folders:
                folder.problems.append(problem("E006", where, required=required))
            elif folder.name in _required_by(required, folders):
                folder.problems.append(problem("E008", where, required=required))


def _required_by(name: str, folders: dict[str, Folder]) -> set[str]:
    """Return the names that a plugin requires, directly or through others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        folder = folders.get(waiting.pop())
        for required in folder.manifest.requires if folder and folder.manifest else ():
            if required not in found:
                found.add(required)
                waiting.append(required)
    return found
