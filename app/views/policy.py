"""Show policy documents, their clauses, and the parameters with their dated values."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import Form

from app.crud.base import BureauModelView, ReadOnlyView
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import Clause, Parameter, ParameterValue, PolicyDocument
from app.parameters.limit import LIMITS, Limit
from app.views.organization import check_period
from app.words import declare, named, words

UNITS = {
    "count": _l("Count"),
    "percent": _l("Percent"),
    "day": _l("Calendar days"),
    "school_day": _l("School days"),
    "working_day": _l("Working days"),
    "week": _l("Weeks"),
    "month": _l("Months"),
    "year": _l("Years"),
    "hour": _l("Hours"),
    "clock_hour": _l("Hour of the day"),
    "minute": _l("Minutes"),
    "class_hour": _l("Class hours"),
    "flag": _l("Yes or no"),
    "text": _l("Text"),
}
TEXTS = {
    "teaching_fortnight": _l("By teaching fortnights"),
    "rolling_14": _l("By any fourteen days"),
    "iso_fortnight": _l("By calendar fortnights"),
}
"""The words for texts of parameters that are keys."""
declare("parameter_text", TEXTS.get)
BASES = {"policy": _l("The document says so"), "decision": _l("Decided where it is silent")}


class ClauseView(ReadOnlyView):
    """Show the clauses 条款; they come with the document and are cited by key."""

    datamodel = BureauInterface(Clause)
    noun = _l("Clause")
    list_title = _l("Clauses")
    list_columns = ["key", "document", "heading", "valid_from", "valid_to"]
    show_columns = ["key", "document", "heading", "text", "valid_from", "valid_to"]
    search_columns = ["key", "document", "heading", "text", "valid_from", "valid_to"]
    base_order = ("position", "asc")
    label_columns = {"document": _l("Document"), "heading": _l("Heading")}


class PolicyDocumentView(BureauModelView):
    """Keep the policy documents 政策文件 that clauses and parameters rest on."""

    datamodel = BureauInterface(PolicyDocument)
    noun = _l("Policy document")
    list_title = _l("Policy documents")
    list_columns = ["title", "issuer", "number", "issued_on", "valid_from", "valid_to"]
    show_columns = [
        "title", "key", "issuer", "number", "issued_on", "valid_from", "valid_to", "plugin", "text",
    ]  # fmt: skip
    add_columns = [
        "key",
        "title",
        "issuer",
        "number",
        "issued_on",
        "valid_from",
        "valid_to",
        "text",
    ]
    edit_columns = ["title", "issuer", "number", "issued_on", "valid_from", "valid_to"]
    search_columns = ["title", "issuer", "number", "issued_on", "valid_from", "valid_to"]
    base_order = ("issued_on", "desc")
    related_views = [ClauseView]
    label_columns = {
        "issuer": _l("Issued by"),
        "number": _l("Document number"),
        "issued_on": _l("Issued on"),
    }

    def check(self, form: Form, item: PolicyDocument | None) -> None:
        """Refuse a period that ends before it begins."""
        check_period(form.valid_from.data, form.valid_to.data)


class ParameterValueView(BureauModelView):
    """Keep the values of parameters: each from a day on, with clause and basis."""

    datamodel = BureauInterface(ParameterValue)
    noun = _l("Parameter value")
    list_title = _l("Parameter values")
    list_columns = ["parameter", "valid_from", "number", "text", "clause_key", "basis"]
    show_columns = ["parameter", "valid_from", "number", "text", "clause_key", "basis", "note"]
    add_columns = ["parameter", "valid_from", "number", "text", "clause_key", "basis", "note"]
    edit_columns = ["number", "text", "clause_key", "basis", "note"]
    search_columns = ["parameter", "valid_from", "clause_key", "basis"]
    base_order = ("valid_from", "desc")
    choices_columns = {"basis": BASES}
    formatters_columns = {"text": lambda text: words(named("parameter_text", text)) or "—"}
    label_columns = {
        "parameter": _l("Parameter"),
        "number": _l("Number"),
        "basis": _l("Basis"),
        "clause_key": _l("Clause"),
    }
    description_columns = {
        "valid_from": _l("Records are judged by the value in force on their own day."),
        "clause_key": _l("The key of the clause, as the list of clauses shows it."),
    }

    def check(self, form: Form, item: ParameterValue | None) -> None:
        """Keep the value of the parameter's unit, and the clause one that exists."""
        parameter = form.parameter.data if item is None else item.parameter
        if parameter.unit == "text" and form.number.data is not None:
            raise FieldRefused("number", _("This parameter is a text."))
        if parameter.unit != "text" and form.text.data:
            raise FieldRefused("text", _("This parameter is a number."))
        _check_limit(LIMITS.get(parameter.unit), form.number.data)
        key = form.clause_key.data
        if key and db.session.scalar(select(Clause.id).where(Clause.key == key)) is None:
            raise FieldRefused("clause_key", _("There is no such clause."))


def _check_limit(limit: Limit | None, number: Decimal | None) -> None:
    """Refuse a figure that no day, hour or count can be."""
    if limit is None or number is None or limit.holds(number):
        return
    text = _("The value must lie between %(least)s and %(most)s.", **asdict(limit))
    raise FieldRefused("number", text)


class ParameterView(ReadOnlyView):
    """Show the parameters; plugins and the core declare them."""

    datamodel = BureauInterface(Parameter)
    noun = _l("Parameter")
    list_title = _l("Parameters")
    list_columns = ["title", "key", "unit", "plugin"]
    show_columns = ["title", "key", "unit", "plugin"]
    search_columns = ["title", "key", "unit", "plugin"]
    base_order = ("key", "asc")
    choices_columns = {"unit": UNITS}
    related_views = [ParameterValueView]
    label_columns = {"unit": _l("Unit")}
