"""Part 14: test the face of every page: language, landmarks, one heading, room on a phone.

The pages are found by following the menu, so that a view added tomorrow is looked at as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
SIZES = {"desktop": DESKTOP, "phone": PHONE}

# The first column of the search form that takes text, or null.
TEXT_COLUMN = """() => {
  const form = document.querySelector("form[data-filters]");
  const fields = form ? JSON.parse(form.dataset.filters).fields : {};
  return Object.keys(fields).find(name => fields[name].includes('type="text"')) || null;
}"""

Login = Callable[[Page, str], None]


class Watch:
    """Collect what a page should never do: ask another host, break the policy, raise."""

    def __init__(self, page: Page, live: str) -> None:
        self.outside: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self._request(request.url, live))
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, url: str, live: str) -> None:
        if not url.startswith((live, "data:", "blob:")):
            self.outside.append(url)

    def _console(self, kind: str, text: str) -> None:
        if kind == "error":
            self.complaints.append(text)


@pytest.fixture
def watch(page: Page, live: str) -> Iterator[Watch]:
    """Watch the page, and fail the test for a request to another host or a console error."""
    watched = Watch(page, live)

    yield watched

    assert watched.outside == []
    assert watched.complaints == []


def menu_links(page: Page) -> list[str]:
    """Return the addresses that the navigation offers to the signed-in user."""
    links = page.locator("#sidebar a").evaluate_all("links => links.map(link => link.href)")
    return sorted(set(links))


# One question to the browser for all of it: each costs a round trip.
FACE = """() => {
  const count = selector => document.querySelectorAll(selector).length;
  const heading = document.querySelector("h1");
  const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
  const name = one => one.innerText + one.textContent + (one.getAttribute("aria-label") || "");
  const seen = selector => [...document.querySelectorAll(selector)].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && getComputedStyle(one).opacity !== "0";
  });
  const rgb = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => rgb(colour).slice(0, 3)
    .map(part => part / 255)
    .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = one => {
    const colour = getComputedStyle(one).backgroundColor;
    return rgb(colour)[3] === 0 && one.parentElement ? ground(one.parentElement) : colour;
  };
  const isRead = one => {
    const [low, high] = [light(getComputedStyle(one).color), light(ground(one))].sort();
    return (Math.max(low, high) + 0.05) / (Math.min(low, high) + 0.05) >= 4.5;
  };
  const says = one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  const isPhone = window.innerWidth < 500;
  return {
    "named fields": seen("main input, main select, main textarea")
      .every(one => (one.labels && one.labels.length) || one.getAttribute("aria-label")),
    "contrast": seen("body *:not(.error-code)").filter(says).every(isRead),
    "touch": !isPhone || seen(
      "main .btn, main select, main textarea, main .select2-selection, main .pagination a,"
      + " main input:not([type=checkbox]):not([type=radio]):not(.select2-search__field)"
    ).every(one => one.getBoundingClientRect().height >= 43.5),
    "lang": ["zh-CN", "en"].includes(document.documentElement.lang),
    "one h1": count("h1") === 1 && heading.innerText !== "",
    "one main": count("main") === 1,
    "header": count("body > header") === 1,
    "skip link": count(".skip-link") === 1,
    "named buttons":
      [...document.querySelectorAll("button, a.row-button")].every(one => name(one).trim() !== ""),
    "unique ids": new Set(ids).size === ids.length,
    "no inline handler": count("[onclick], [href^='javascript:']") === 0,
    "width": document.documentElement.scrollWidth <= window.innerWidth,
  };
}"""


def faults(page: Page) -> list[str]:
    """Return what is wrong with the page now shown, on a desk and on a phone."""
    found = []
    for name, size in SIZES.items():
        page.set_viewport_size(size)
        checks = page.evaluate(FACE)
        found += [f"{check} on {name}: {page.url}" for check, holds in checks.items() if not holds]
    return found


def addresses(page: Page, selector: str) -> set[str]:
    """Return the address of the first link that the selector names, if there is one."""
    return set(page.locator(selector).evaluate_all("all => all.slice(0, 1).map(one => one.href)"))


def test_login_page_wears_the_face(page: Page, live: str, watch: Watch) -> None:
    page.goto(f"{live}/login/")

    assert faults(page) == []
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.locator("h1").inner_text() == "控辍保学督导平台"


def test_every_page_that_the_menu_leads_to_wears_the_face(
    page: Page, live: str, watch: Watch, sign_in: Login
) -> None:
    sign_in(page, "system_administrator")

    links = menu_links(page)
    wrong, records, forms = [], set(), set()
    for link in links:
        page.goto(link)
        wrong += faults(page)
        records |= addresses(page, "a.row-link")
        forms |= addresses(page, ".list-bar a.btn-primary")
    for address in sorted(records | forms):
        page.goto(address)
        wrong += faults(page)

    assert min(len(links), len(records), len(forms)) > 5
    assert wrong == []


def test_pages_of_the_main_job_wear_the_face(
    page: Page, live: str, watch: Watch, sign_in: Login
) -> None:
    sign_in(page, "township_leader")

    wrong, records = [], set()
    for link in ("inspection/township-visit/list/", "finding/list/", "feedback/list/"):
        page.goto(f"{live}/{link}")
        records |= addresses(page, "a.row-link")
    forms = {record.replace("/show/", "/edit/") for record in records if "/inspection/" in record}
    for address in sorted({f"{live}/inspection/township-visit/add", *records, *forms}):
        page.goto(address)
        wrong += faults(page)

    assert (len(records), len(forms)) == (3, 1)
    assert wrong == []


def test_people_of_the_opening_form_stand_within_their_card(
    page: Page, live: str, watch: Watch, sign_in: Login
) -> None:
    sign_in(page, "township_leader")

    page.goto(f"{live}/inspection/township-visit/add")

    tops = page.evaluate(
        """() => ["#people", "#people > legend", "#people .person-line"]
          .map(one => document.querySelector(one).getBoundingClientRect().top)"""
    )
    assert tops == sorted(tops)


def test_a_change_of_status_offers_what_may_follow(
    page: Page, live: str, watch: Watch, sign_in: Login
) -> None:
    sign_in(page, "school_clerk")
    page.goto(f"{live}/statuseventview/add")
    offered = page.locator(".select2-results__option:not(.loading-results)")

    page.locator("#status + .select2-container").click()
    expect(offered).to_have_count(1)
    before = offered.inner_text()
    page.keyboard.press("Escape")
    page.locator("#child + .select2-container").click()
    offered.first.click()
    page.locator("#status + .select2-container").click()
    expect(page.locator(".select2-results__option", has_text="死亡")).to_have_count(1)

    assert "儿童少年" in before
    assert "辍学" not in offered.all_inner_texts()


def test_focus_is_seen(page: Page, live: str, watch: Watch) -> None:
    page.goto(f"{live}/login/")

    seen = []
    for _step in range(4):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("getComputedStyle(document.activeElement).outlineWidth"))

    assert set(seen) == {"3px"}


def test_navigation_marks_where_one_is(page: Page, watch: Watch, sign_in: Login) -> None:
    sign_in(page, "system_administrator")

    page.goto(next(link for link in menu_links(page) if link.endswith("/list/")))

    current = page.locator("#sidebar [aria-current=page]")
    assert current.count() == 1
    assert current.is_visible()


def test_drawer_opens_and_closes_on_a_phone(page: Page, watch: Watch, sign_in: Login) -> None:
    page.set_viewport_size(PHONE)
    sign_in(page, "system_administrator")
    sidebar = page.locator("#sidebar")
    button = page.locator("[data-drawer]")

    assert not sidebar.is_visible()
    button.click()
    sidebar.wait_for(state="visible")
    assert button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    sidebar.wait_for(state="hidden")
    assert button.get_attribute("aria-expanded") == "false"


def test_one_click_switches_the_language(page: Page, live: str, watch: Watch) -> None:
    page.goto(f"{live}/login/")

    page.locator(".topbar-link[hreflang=en]").click()
    page.goto(f"{live}/login/")

    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("button", name="Sign in").count() == 1


def test_deleting_asks_first_and_then_posts(page: Page, watch: Watch, sign_in: Login) -> None:
    sign_in(page, "system_administrator")
    methods: list[str] = []
    page.on(
        "request",
        lambda request: methods.append(request.method) if "/delete/" in request.url else None,
    )
    delete = page.locator(".row-button.danger").first
    for link in [link for link in menu_links(page) if link.endswith("/list/")]:
        page.goto(link)
        if delete.count():
            break
    # The answer is made up here: the test is about what the page sends, no row need go.
    page.route(re.compile("/delete/"), lambda route: route.fulfill(status=204))

    delete.click()
    dialog = page.locator("#confirm-dialog")
    dialog.locator("[data-dialog=cancel]").click()
    assert methods == []
    delete.click()
    dialog.locator("[data-dialog=ok]").click()
    page.wait_for_timeout(300)

    assert methods == ["POST"]


def test_search_adds_a_condition_and_keeps_it(page: Page, watch: Watch, sign_in: Login) -> None:
    sign_in(page, "system_administrator")
    column = None
    for link in [link for link in menu_links(page) if link.endswith("/list/")]:
        page.goto(link)
        column = page.evaluate(TEXT_COLUMN)
        if column:
            break
    page.locator("#list-search > summary").click()

    page.locator(".filter-add").select_option(column)
    page.locator(".filter-row input").fill("1")
    page.locator(".filter-bar button[type=submit]").click()

    page.wait_for_url(re.compile("_flt_"))
    page.locator(".filter-row").wait_for()
    assert page.locator(".filter-row").count() == 1
    assert page.locator(".filter-row input").input_value() == "1"


def test_unknown_address_shows_a_page_with_a_way_back(page: Page, live: str) -> None:
    page.set_viewport_size(PHONE)

    answer = page.goto(f"{live}/nothing-lives-here")

    assert answer is not None
    assert answer.status == 404
    assert page.locator("h1").count() == 1
    assert page.locator("main a.btn").count() >= 1
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
