"""Make an inspection type from a manifest: the value that others ask for, and its class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.host.manifest import Cadence, Codes, Manifest
from app.models import Inspection

_CLASSES: Final[dict[str, type[Inspection]]] = {}


@dataclass(frozen=True, slots=True)
class InspectionType:
    """Describe one kind of inspection (督导类型), as its plugin declares it."""

    key: str
    title: str
    plugin: str
    model: type[Inspection]
    checklist: str
    capacity: str
    cadence: Cadence
    codes: Codes
    clause: str
    counts: bool
    feedback: str
    theme: bool
    draw_classes: bool
    self_inspection: bool
    assigned: str
    """Whether an assignment 挂点 to one school gives the capacity for it, or its township."""
    excused_by: tuple[str, ...]
    """Role templates that decide whether one that is due is excused; without any, nobody does."""
    fill: tuple[str, ...]
    read: tuple[str, ...]

    @property
    def class_name(self) -> str:
        """Return the name of the class, by which FAB's permissions know the type."""
        return self.model.__name__


def inspection_type(manifest: Manifest) -> InspectionType | None:
    """Return the type that a manifest declares, with its class; None where it declares none."""
    spec = manifest.inspection
    if spec is None:
        return None
    return InspectionType(
        key=manifest.name,
        title=manifest.title,
        plugin=manifest.name,
        model=_class_for(manifest),
        checklist=spec.checklist,
        capacity=spec.capacity,
        cadence=spec.cadence,
        codes=spec.codes,
        clause=spec.clause,
        counts=spec.counts,
        feedback=spec.feedback,
        theme=spec.theme,
        draw_classes=spec.draw_classes,
        self_inspection=spec.self_inspection,
        assigned=spec.assigned,
        excused_by=spec.excused_by,
        fill=manifest.grants.fill,
        read=manifest.grants.read,
    )


def class_name(key: str) -> str:
    """Return the class name of a type: leader_visit becomes LeaderVisit."""
    return "".join(part.capitalize() for part in key.split("_"))


def _class_for(manifest: Manifest) -> type[Inspection]:
    """Return the single-table subclass of a type; one a process, however many applications."""
    key = manifest.name
    if key not in _CLASSES:
        body = {
            "__module__": __name__,
            "__doc__": manifest.title,
            "inspection_type_key": key,
        }
        _CLASSES[key] = type(class_name(key), (Inspection,), body)
    return _CLASSES[key]
