"""Read a list's page, size, order and conditions from the address; ignore nonsense."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app, request

from app.crud.interface import BureauFilters, key_of

if TYPE_CHECKING:
    from app.crud.listing import ListingMixin

LAST_PAGE = 100_000
CONDITION = re.compile(r"_flt_(\d)_(\w+)")
LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class ListArguments:
    """What part of a list is asked for, in which order."""

    page: int
    page_size: int
    order_column: str
    order_direction: str


def list_arguments(view: ListingMixin, page_size: int) -> ListArguments:
    """Return the arguments of one view's list, each within its bounds."""
    name = type(view).__name__
    size = key_of(request.args.get(f"psize_{name}", "")) or page_size
    column = request.args.get(f"_oc_{name}", "")
    direction = request.args.get(f"_od_{name}", "asc")
    if column not in view.order_columns:
        column, direction = view.base_order or ("", "asc")
    return ListArguments(
        page=min(key_of(request.args.get(f"page_{name}", "")) or 0, LAST_PAGE),
        page_size=min(size, current_app.config["MAX_PAGE_SIZE"]),
        order_column=column,
        order_direction="desc" if direction == "desc" else "asc",
    )


def read_conditions(filters: BureauFilters) -> None:
    """Activate the conditions of the address on the columns that may be searched."""
    filters.clear_filters()
    offered = filters.get_search_filters()
    for name in request.args:
        match = CONDITION.fullmatch(name)
        if match is None:
            continue
        index, column = int(match[1]), match[2]
        if column not in offered or index >= len(offered[column]):
            continue
        for value in request.args.getlist(name)[:5]:
            if value.strip():
                filters.add_filter_index(column, index, value[:LONGEST_VALUE])
