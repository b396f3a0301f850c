"""Name the columns that many models share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

COMMON_LABELS: Mapping[str, Any] = {
    "name": _l("Name"),
    "township": _l("Township"),
    "school": _l("School"),
    "school_class": _l("Class"),
    "child": _l("Child"),
    "person": _l("Person"),
    "code": _l("Code"),
    "key": _l("Key"),
    "title": _l("Title"),
    "kind": _l("Kind"),
    "position": _l("Position"),
    "note": _l("Note"),
    "text": _l("Text"),
    "phone": _l("Telephone"),
    "valid_from": _l("Valid from"),
    "valid_to": _l("Valid until"),
    "starts_on": _l("First day"),
    "ends_on": _l("Last day"),
    "day": _l("Day"),
    "state": _l("State"),
    "status": _l("Status"),
    "is_active": _l("Active"),
    "plugin": _l("Plugin"),
    "clause_key": _l("Clause"),
    "evidence_set_id": _l("Evidence"),
    "created_at": _l("Entered at"),
    "changed_at": _l("Changed at"),
    "due_on": _l("Due on"),
}
"""English names; the catalogue holds the bureau's words."""
