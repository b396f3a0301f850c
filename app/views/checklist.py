"""Show the checklists 督导表 with their published versions and items."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.crud.base import ReadOnlyView
from app.crud.interface import BureauInterface
from app.models import Checklist, ChecklistItem, ChecklistVersion

FREQUENCIES = {"visit": _l("Each visit"), "semester": _l("Once a semester")}
KINDS = {
    "plain": _l("Verdict only"),
    "document": _l("Paper"),
    "integer": _l("Whole number"),
    "pair": _l("Two numbers that must agree"),
    "date": _l("Date"),
    "text": _l("Text"),
    "choice": _l("Choice"),
    "roster": _l("List of children"),
    "document_per_child": _l("Paper of each child"),
    "class_lines": _l("Counts of each class"),
    "rule_result": _l("Result of a rule"),
}
CLOSINGS = {"evidence": _l("On evidence"), "return_visit": _l("Only by a return visit on the spot")}


class ChecklistItemView(ReadOnlyView):
    """Show the items of published versions; records point to them, so they never change."""

    datamodel = BureauInterface(ChecklistItem)
    noun = _l("Checklist item")
    list_title = _l("Checklist items")
    list_columns = ["text", "section", "key", "kind", "frequency", "clause_key", "is_required"]
    show_columns = [
        "text", "section", "key", "kind", "frequency", "content", "standard", "clause_key",
        "is_required", "minimum", "maximum", "closing", "is_urgent", "needs_pupils",
    ]  # fmt: skip
    search_columns = ["text", "section", "key", "kind", "frequency", "clause_key", "is_required"]
    base_order = ("position", "asc")
    choices_columns = {"kind": KINDS, "frequency": FREQUENCIES, "closing": CLOSINGS}
    label_columns = {
        "section": _l("Section"),
        "frequency": _l("Frequency"),
        "content": _l("Content of the inspection"),
        "standard": _l("Standard of the inspection"),
        "text": _l("Check"),
        "is_required": _l("Required"),
        "minimum": _l("Smallest value"),
        "maximum": _l("Largest value"),
        "closing": _l("How a finding closes"),
        "is_urgent": _l("Urgent"),
        "needs_pupils": _l("Only with pupils present"),
    }


class ChecklistVersionView(ReadOnlyView):
    """Show the published versions of checklists."""

    datamodel = BureauInterface(ChecklistVersion)
    noun = _l("Checklist version")
    list_title = _l("Checklist versions")
    list_columns = ["checklist", "number", "valid_from", "valid_to", "published_at"]
    show_columns = ["checklist", "number", "valid_from", "valid_to", "published_at", "digest"]
    search_columns = ["checklist", "number", "valid_from", "valid_to"]
    base_order = ("published_at", "desc")
    label_columns = {
        "checklist": _l("Checklist"),
        "number": _l("Version"),
        "published_at": _l("Published at"),
        "digest": _l("Digest"),
    }


class ChecklistView(ReadOnlyView):
    """Show the checklists that plugins bring."""

    datamodel = BureauInterface(Checklist)
    noun = _l("Checklist")
    list_title = _l("Checklists")
    list_columns = ["title", "key", "plugin"]
    show_columns = ["title", "key", "plugin"]
    search_columns = ["title", "key", "plugin"]
    base_order = ("key", "asc")
    related_views = [ChecklistVersionView]
