"""Draw the rows of a list: what is the same in all of them is made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Number
from typing import Any

from flask import Flask
from flask_babel import gettext as _
from markupsafe import Markup, escape

from app import clock
from app.crud.fab import ListWidget
from app.crud.links import ASCENDING, order_links, order_of

KEY = "-key-"
"""Stands for the key of a row in the markup that all rows share."""
NOTHING = Markup('<span class="nothing">—</span>')
_UNORDERED = ("fa-sort", "")
_ORDERED = {
    True: ("fa-sort-up", ' aria-sort="ascending"'),
    False: ("fa-sort-down", ' aria-sort="descending"'),
}
MINUTE = "%Y-%m-%d %H:%M"
SHORT, LONG = 10, 24
"""Texts up to the first length are never broken, those beyond the second take two lines."""


@dataclass(frozen=True, slots=True)
class Column:
    """How the cells of one column are drawn."""

    name: str
    label: Markup
    formatter: Callable[[Any], Any] | None
    kept: dict[tuple[type, Any], str] = field(default_factory=dict)

    def cell(self, value: Any, link: str = "") -> str:
        """Return the cell of a value, which leads to the row where a link is given.

        Schools, days and states come again from row to row: each is drawn once a page.
        """
        key = (type(value), value)
        try:
            if link or key not in self.kept:
                self.kept[key] = self._drawn(value, link)
        except TypeError:  # lists have no place in a dictionary
            return self._drawn(value, link)
        return self.kept[key]

    def _drawn(self, value: Any, link: str) -> str:
        text = shown(value) if self.formatter is None else escape(self.formatter(value))
        kind = kind_of(value, text)
        if kind == "long":
            text = f'<span class="clamp">{text}</span>'
        elif self.formatter is not None:
            text = f"<div>{text}</div>"
        if link:
            text = f'<a class="row-link" href="{link}">{text}</a>'
        return f'<td data-label="{self.label}" class="{kind}">{text}</td>'


class BureauListWidget(ListWidget):
    """FAB's list, whose template asks for all its rows at once."""

    def __call__(self, **kwargs: Any) -> Any:
        """Return the markup."""
        return super().__call__(headers=self.headers, rows=self.rows, key=KEY, **kwargs)

    def headers(self) -> Markup:
        """Return the head of each column, which orders the list where that can be done."""
        given = self.template_args
        name, orderable = given["modelview_name"], frozenset(given["order_columns"])
        (ordered, direction), address = order_of(name), order_links(name)
        drawn = []
        for column in given["include_columns"]:
            label = escape(given["label_columns"].get(column))
            kind = ' class="num"' if is_number(given["value_columns"][0][column]) else ""
            if column not in orderable:
                drawn.append(f'<th scope="col"{kind}>{label}</th>')
                continue
            icon, sort = _ORDERED[direction == ASCENDING] if column == ordered else _UNORDERED
            icon = f'<i class="fa {icon}" aria-hidden="true"></i>'
            link = f'<a href="{escape(address(column))}">{label} {icon}</a>'
            drawn.append(f'<th scope="col"{kind}{sort}>{link}</th>')
        return Markup("".join(drawn))  # noqa: S704  # labels and addresses are escaped above

    def rows(self, box: str, buttons: str, link: str | None) -> Markup:
        """Return the rows; box, buttons and link are those of a row whose key is ``KEY``."""
        given = self.template_args
        labels, formatters = given["label_columns"], given["formatters_columns"]
        columns = [
            Column(name, escape(labels.get(name)), formatters.get(name))
            for name in given["include_columns"]
        ]
        box, path = str(box), str(escape(link or ""))
        tail = f'<td class="buttons-cell">{buttons}</td></tr>\n' if buttons else "</tr>\n"
        drawn = []
        for key, values in zip(given["pks"], given["value_columns"], strict=True):
            own = str(escape(key))
            cells = _cells(columns, values, path.replace(KEY, own))
            drawn.append(f"<tr>{box.replace(KEY, own)}{cells}{tail.replace(KEY, own)}")
        return Markup("".join(drawn))  # noqa: S704  # every cell is escaped where it is drawn


def _cells(columns: Sequence[Column], values: Mapping[str, Any], link: str) -> str:
    first, *others = columns
    drawn = [column.cell(values[column.name]) for column in others]
    return f"{first.cell(values[first.name], link)}{''.join(drawn)}"


def kind_of(value: Any, text: str) -> str:
    """Return how a cell behaves: numbers to the right, days unbroken, long texts clamped."""
    if is_number(value):
        return "num"
    if isinstance(value, date) or isinstance(getattr(value, "day", None), date):
        return "when"
    said = value if isinstance(value, str) else "" if value is None else text
    length = len(said)
    return "short" if length <= SHORT else "mid" if length <= LONG else "long"


def is_number(value: Any) -> bool:
    """Tell whether a value stands at the right edge of its cell."""
    return isinstance(value, Number) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """Return a value as people write it: a dash for nothing, words for marks, local time."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return escape(_("Yes") if value else _("No"))
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return clock.local(aware).strftime(MINUTE)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, (list, tuple)):
        return escape(_(", ")).join(map(escape, value)) if value else NOTHING
    return escape(value)


def init_app(app: Flask) -> None:
    """Let templates show values as lists do."""
    app.jinja_env.filters["shown"] = shown
