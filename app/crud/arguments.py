"""Read a list's page, size, order and conditions from the address; ignore nonsense."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import current_app, request

from app.crud.interface import BureauFilters, key_of
from app.crud.paging import END, Cursor, Part

if TYPE_CHECKING:
    from app.crud.listing import ListingMixin

LAST_PAGE = 100_000
CONDITION = re.compile(r"_flt_(\d)_(\w+)")
LONGEST_VALUE = 200


def list_arguments(view: ListingMixin, page_size: int) -> Part:
    """Return the arguments of one view's list, each within its bounds."""
    name = type(view).__name__
    size = key_of(request.args.get(f"psize_{name}", "")) or page_size
    column = request.args.get(f"_oc_{name}", "")
    direction = request.args.get(f"_od_{name}", "asc")
    if column not in view.order_columns:
        column, direction = view.base_order or ("", "asc")
    cursor = _cursor(name)
    page = key_of(request.args.get(f"page_{name}", "")) or 0
    return Part(
        page=page if cursor is not None else min(page, LAST_PAGE),
        page_size=min(size, current_app.config["MAX_PAGE_SIZE"]),
        order_column=column,
        order_direction="desc" if direction == "desc" else "asc",
        cursor=cursor,
    )


def _cursor(name: str) -> Cursor | None:
    """Return the place from which a list goes on, if the address names one."""
    for side in ("after", "before"):
        place = request.args.get(f"{side}_{name}", "")
        key = key_of(place)
        if key is not None or (side == "before" and place == END):
            return Cursor(key, is_after=side == "after")
    return None


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
