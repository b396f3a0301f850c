"""Hold the Flask extensions, unbound, so that every module can import them."""

from __future__ import annotations

from flask_appbuilder import Model
from flask_appbuilder.models.sqla.base import SQLA
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# Set before any model is declared: a constraint is named when its table is made.
Model.metadata.naming_convention = NAMING_CONVENTION

# FAB's declarative base keeps a metadata of its own: without sharing it Alembic would see no table.
db = SQLA(
    metadata=Model.metadata,
    engine_options={"hide_parameters": True, "pool_pre_ping": True},
    session_options={"autoflush": True},
)
migrate = Migrate()
csrf = CSRFProtect()
