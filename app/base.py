"""The ground all models stand on: declared scopes, stamps, refusals, problems, the registry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from sqlalchemy import Connection, ForeignKey, Index, Integer, String, event
from sqlalchemy.orm import (
    DeclarativeBase,
    InstrumentedAttribute,
    Mapped,
    Mapper,
    declared_attr,
    mapped_column,
    relationship,
)
from sqlalchemy.orm import registry as class_registry

from app import clock
from app.columns import UtcDateTime
from app.pinyin import LENGTH as LONGEST_KEY
from app.pinyin import search_key

if TYPE_CHECKING:
    from app.models.organization import School, Township

    class Model(DeclarativeBase):
        """Stand for FAB's declarative base, which has no types."""

        __table_args__: Any

else:
    from flask_appbuilder import Model

__all__ = [
    "Actor",
    "Audited",
    "CountyScoped",
    "Model",
    "Named",
    "Problem",
    "Refused",
    "Registry",
    "Restricted",
    "Scoped",
    "Shared",
    "TownshipScoped",
    "actor",
    "listed_by",
    "plugin_base",
    "registry",
]


class Refused(Exception):  # the bureau's word, shown to users
    """Refuse an action with a translated message, the only one that a user sees verbatim."""

    def __init__(self, message: str) -> None:
        super().__init__(str(message))
        self.message = str(message)


@dataclass(frozen=True, slots=True)
class Problem:
    """A fact that somebody should mend: what is wrong, how to cure it, and where."""

    level: str
    """``error`` or ``warning``."""
    id: str
    message: str
    hint: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts now: the account, the person and the appointment under which he acts."""

    user_id: int | None = None
    person_id: int | None = None
    appointment_id: int | None = None
    address: str = ""


SCOPE_COLUMNS = ("county_id", "township_id", "school_id")
actor: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039  # frozen, cannot change


class Shared:
    """Declare a model whose rows every signed-in person may read."""


class Restricted:
    """Declare a model that no row scope opens: only county-wide roles with a right read it."""


class TownshipScoped:
    """Declare a model whose rows belong to a township."""

    county_wide_rows: ClassVar[bool] = False
    """Whether a row may have no township: everybody reads it, only a county scope writes it."""
    unplaced_rows: ClassVar[bool] = False
    """Whether a row may have no township yet: only a county scope reads and writes it."""
    follows_child: ClassVar[bool] = False
    """Whether the rows are also seen by the present school of their child."""
    is_large: ClassVar[bool] = False
    """Whether the table has the indexes of ``listed_by`` instead of one for each scope column."""

    @declared_attr
    def county_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("county.id"), index=not cls.is_large)

    @declared_attr
    def township_id(cls) -> Mapped[int]:
        return mapped_column(
            ForeignKey("township.id"),
            index=not cls.is_large,
            nullable=cls.county_wide_rows or cls.unplaced_rows,
        )

    @declared_attr
    def township(cls) -> Mapped[Township]:
        from app.models.organization import Township

        return relationship(Township, foreign_keys=[cls.township_id])  # type: ignore[list-item]  # a column

    @classmethod
    def scope_school(cls) -> InstrumentedAttribute[int | None]:
        """Return the column that names the school a row belongs to."""
        raise NotImplementedError


class Scoped(TownshipScoped):
    """Declare a model whose rows belong to a township and, unless it is a township's, a school."""

    @declared_attr
    def school_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("school.id"), index=not cls.is_large)

    @declared_attr
    def school(cls) -> Mapped[School | None]:
        from app.models.organization import School

        return relationship(School, foreign_keys=[cls.school_id])  # type: ignore[list-item]  # a column

    @classmethod
    def scope_school(cls) -> InstrumentedAttribute[int | None]:
        """Return the column that names the school a row belongs to."""
        return cls.school_id


def listed_by(*order: str) -> tuple[Index, ...]:
    """Return indexes that hold the rows of each county, township and school in a list's order."""
    return tuple(Index(None, scope, *order, "id") for scope in SCOPE_COLUMNS)


class CountyScoped(Scoped):
    """Declare a scoped model that also has rows of the county itself, without a township."""

    county_wide_rows = True


class Audited:
    """Stamp rows with who and when, and count their versions for the compare on write."""

    @declared_attr
    def created_at(cls) -> Mapped[datetime]:
        return mapped_column(UtcDateTime, default=clock.now)

    @declared_attr
    def created_by_id(cls) -> Mapped[int | None]:
        return mapped_column(
            ForeignKey("ab_user.id", ondelete="SET NULL"), default=lambda: actor.get().user_id
        )

    @declared_attr
    def changed_at(cls) -> Mapped[datetime]:
        return mapped_column(UtcDateTime, default=clock.now, onupdate=clock.now)

    @declared_attr
    def changed_by_id(cls) -> Mapped[int | None]:
        return mapped_column(
            ForeignKey("ab_user.id", ondelete="SET NULL"),
            default=lambda: actor.get().user_id,
            onupdate=lambda: actor.get().user_id,
        )

    @declared_attr
    def row_version(cls) -> Mapped[int]:
        return mapped_column(Integer, default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.row_version}


class Named:
    """Give rows a name that is found by its characters, its pinyin and its initials."""

    @declared_attr
    def name(cls) -> Mapped[str]:
        return mapped_column(String(100))

    @declared_attr
    def search_key(cls) -> Mapped[str]:
        return mapped_column(String(LONGEST_KEY), default="")

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


@event.listens_for(Named, "before_insert", propagate=True)
@event.listens_for(Named, "before_update", propagate=True)
def _spell_name(_mapper: Mapper[Any], _connection: Connection, row: Named) -> None:
    row.search_key = search_key(row.name or "")


def plugin_base(name: str) -> type[DeclarativeBase]:
    """Return a declarative base for the tables of one plugin.

    It shares the core's metadata and keeps a class registry of its own, so that two plugins may
    use the same class name. Tables must begin with ``plg_<name>_``.
    """

    class PluginBase(DeclarativeBase):
        """The base of one plugin's models."""

        metadata = Model.metadata
        registry = class_registry(metadata=Model.metadata)
        plugin_name: ClassVar[str] = name

    return PluginBase


class Registry(Protocol):
    """What the lower layers ask of the plugins; ``app.host`` fills it at boot."""

    def inspection_types(self) -> Sequence[Any]:
        """Return the inspection types of the active plugins, in menu order."""

    def inspection_type(self, key: str) -> Any | None:
        """Return one inspection type, or None where its plugin is gone."""

    def checklists(self) -> Sequence[Any]:
        """Return the checklist definitions of the active plugins."""

    def field_kinds(self) -> Sequence[Any]:
        """Return the field kinds that plugins add."""

    def rules(self) -> Sequence[Any]:
        """Return the rules of the active plugins."""

    def bulletins(self) -> Sequence[Any]:
        """Return the bulletins of the active plugins."""

    def sections(self, bulletin: str) -> Sequence[Any]:
        """Return the sections that plugins add to a bulletin, in order."""

    def panels(self) -> Sequence[Any]:
        """Return the panels that plugins add to a child's page, in order."""

    def panel_content(self, panel: Any, session: Any, child: Any) -> Any | None:
        """Return what a panel shows of a child; None where it has nothing or fails."""

    def entities(self) -> Sequence[Any]:
        """Return what can be imported into the tables of the active plugins."""

    def ledgers(self) -> Sequence[Any]:
        """Return the ledgers of the active plugins."""

    def openings(self) -> Sequence[Any]:
        """Return what opens entries in ledgers."""

    def dues(self) -> Sequence[Any]:
        """Return the kinds of things to do that the active plugins bring."""

    def ladders(self) -> Sequence[Any]:
        """Return the ladders of escalation of the active plugins."""

    def grants(self, template: str) -> Iterable[tuple[str, str]]:
        """Return the (permission, view) pairs that plugins grant to a role template."""

    def parameter_names(self, plugin: str) -> Sequence[str]:
        """Return the short names of the parameters that a plugin declares."""

    def inspection_saved(self, session: Any, inspection: Any) -> None:
        """Tell every plugin that an inspection was stored, in the same transaction."""

    def rules_finished(self, run: Any) -> None:
        """Tell every plugin that the rules were run."""

    def nightly(self, session: Any, day: date) -> list[str]:
        """Let every plugin do its work of the night; return the names of those that failed."""

    def seed(self, session: Any, random: Any) -> None:
        """Let every plugin add its rows to the demonstration county."""

    def page_failed(self, error: BaseException) -> None:
        """Note at the plugin whose page or code it is that the request's page raised."""

    def problems(self) -> Sequence[Problem]:
        """Return what is wrong with the plugins."""


class _RegistryProxy:
    """Pass every question on to the registry of the running application."""

    def __getattr__(self, name: str) -> Any:
        from flask import current_app

        return getattr(current_app.extensions["registry"], name)


registry: Registry = _RegistryProxy()
