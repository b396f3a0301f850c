"""Name the pages that are measured, as the product and the floor serve them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from app.cli.bench.site import DAY, Known
from app.cli.bench.wire import Ask, form_body

SIZE = 25
PAGES = (
    "children", "children_filtered", "children_searched", "children_deep", "visits", "visits_deep",
    "inspections", "inspections_deep", "child_show", "visit_form", "visit_create",
)  # fmt: skip
"""The pages by key, in the order in which they are measured."""
SHOWN = re.compile(r'/show/(\d+)["?]')


@dataclass(frozen=True, slots=True)
class Page:
    """A page under two addresses; ``limit`` is how many times the floor it may cost."""

    key: str
    goal: str | None
    limit: float | None
    product: str
    floor: str
    body: Callable[[], dict[str, str]] | None = None
    """What is posted, anew for each request."""

    @property
    def is_list(self) -> bool:
        """Return whether the page shows rows of a list."""
        return self.floor.startswith("/list/")

    def ask(self, *, of_product: bool, cookie: str, token: str) -> Ask:
        """Return a request for this page; each one posts a form of its own."""
        path = self.product if of_product else self.floor
        if self.body is None:
            return Ask(path, cookie=cookie)
        values = {"csrf_token": token, **self.body()}
        return Ask(path, "POST", form_body(values), cookie)


def pages(known: Known) -> list[Page]:
    """Return the pages of a county."""
    term, deep = quote(known.term), _last_page(known.children)
    children, visits = "/childview/list/", "/visitview/list/"
    inspections = "/inspection/all/list/"
    deep_visits, deep_inspections = _last_page(known.visits), _last_page(known.inspections)
    return [
        Page("children", "G1", 6, children, "/list/child"),
        Page(
            "children_filtered",
            "G1",
            6,
            f"{children}?_flt_0_school={known.school_id}",
            f"/list/child?school={known.school_id}",
        ),
        Page(
            "children_searched",
            "G1",
            6,
            f"{children}?_flt_0_name={term}",
            f"/list/child?name={term}",
        ),
        Page(
            "children_deep",
            "G1",
            6,
            f"{children}?page_ChildView={deep}",
            f"/list/child?page={deep}",
        ),
        Page("visits", "G2", 8, visits, "/list/visit"),
        Page(
            "visits_deep",
            "G2",
            8,
            f"{visits}?page_VisitView={deep_visits}",
            f"/list/visit?page={deep_visits}",
        ),
        Page("inspections", "G1", 6, inspections, "/list/inspection"),
        Page(
            "inspections_deep",
            "G1",
            6,
            f"{inspections}?page_InspectionView={deep_inspections}",
            f"/list/inspection?page={deep_inspections}",
        ),
        Page(
            "child_show",
            None,
            None,
            f"/childview/show/{known.child_id}",
            f"/child/show/{known.child_id}",
        ),
        Page("visit_form", "G5", 8, "/visitview/add", "/visit/add"),
        Page("visit_create", "G5", 6, "/visitview/add", "/visit/add", lambda: _visit(known)),
    ]


def keys_of(body: str) -> list[str]:
    """Return the keys of the rows that a list shows, in order."""
    _, _, rows = body.partition("<table")
    return list(dict.fromkeys(SHOWN.findall(rows)))


def _last_page(rows: int) -> int:
    return max(0, rows // SIZE - 1)


def _visit(known: Known) -> dict[str, str]:
    return {
        "submit_token": secrets.token_urlsafe(24),
        "child": str(known.child_id),
        "kind": "home",
        "visited_on": DAY.isoformat(),
        "method": str(known.method_id),
        "met_child": "y",
        "met_guardian": "y",
        "reason": str(known.reason_id),
        "outcome": str(known.outcome_id),
        "countermeasure": "bench",
        "next_step": "",
        "next_on": "",
    }
