"""Match two lists: by id number, then by name and day of birth; propose what is nearly alike.

Nothing here asks the database: dictionaries over whole lists, whatever their length.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter, ne
from typing import Final

from app.kit import sounds

NUMBER_LENGTH: Final = 18
Place = tuple[int | None, int | None, int | None]
DOTS: Final = re.compile("[•・.‧]")
NOWHERE: Final[Place] = (None, None, None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One person on a list; `index` stands for the id number and compares without showing it."""

    name: str
    index: str | None = None
    number: str | None = None
    born_on: date | None = None
    row: int | None = None
    child_id: int | None = None
    place: Place = NOWHERE
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the comparison says of one person, or of two that may be one."""

    kind: str
    left: Entry | None = None
    right: Entry | None = None
    likeness: str | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """The outcome of the exact steps: who agrees, what differs, who is left over on either side."""

    same: Sequence[tuple[Entry, Entry]]
    findings: Sequence[Finding]
    left: Sequence[Entry]
    right: Sequence[Entry]


def match(left: Sequence[Entry], right: Sequence[Entry]) -> Matching:
    """Match by id number, then by a name and day of birth that are unique on both lists."""
    first, twice_left = _once(left)
    second, twice_right = _once(right)
    numbered, first, second = _matched(first, second, lambda one: one.index)
    named, first, second = _matched(first, second, _name_and_birth)
    findings = [
        *(Finding("double_left", one, other) for one, other in twice_left),
        *(Finding("double_right", one, other) for one, other in twice_right),
        *(Finding("name", *two) for two in numbered if plain(two[0].name) != plain(two[1].name)),
        *(Finding("number", *two) for two in named if two[0].index and two[1].index),
    ]
    return Matching([*numbered, *named], findings, first, second)


def near(left: Sequence[Entry], right: Sequence[Entry]) -> list[Finding]:
    """Propose pairs that may be the same child, the likeliest first, nobody in two of them."""
    taken: set[int] = set()
    chosen = []
    for _rank, one, other, likeness in sorted(_candidates(left, right), key=itemgetter(0)):
        if id(one) not in taken and id(other) not in taken:
            chosen.append(Finding("near", one, other, likeness))
            taken |= {id(one), id(other)}
    return chosen


def plain(name: str) -> str:
    """Return a name for comparison: half width, without spaces, one kind of dot."""
    folded = "".join(unicodedata.normalize("NFKC", name).split()).casefold()
    return DOTS.sub("·", folded)


def born(number: str | None) -> date | None:
    """Return the day of birth in an id number, or None where it holds none."""
    if not number or len(number) != NUMBER_LENGTH or not number[6:14].isdecimal():
        return None
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def _once(entries: Sequence[Entry]) -> tuple[list[Entry], list[tuple[Entry, Entry]]]:
    """Part a list into the first of each id number, and the others, each with its first."""
    known: dict[str, Entry] = {}
    first, again = [], []
    for one in entries:
        if one.index and one.index in known:
            again.append((known[one.index], one))
            continue
        if one.index:
            known[one.index] = one
        first.append(one)
    return first, again


def _matched(
    left: Sequence[Entry], right: Sequence[Entry], key: Callable[[Entry], Hashable | None]
) -> tuple[list[tuple[Entry, Entry]], list[Entry], list[Entry]]:
    """Pair what has the same key, unique on both sides; return the pairs and both remainders."""
    ours, theirs = _unique(left, key), _unique(right, key)
    pairs = [(one, theirs[found]) for found, one in ours.items() if found in theirs]
    taken = {id(entry) for pair in pairs for entry in pair}
    rest_left = [one for one in left if id(one) not in taken]
    return pairs, rest_left, [one for one in right if id(one) not in taken]


def _unique(
    entries: Iterable[Entry], key: Callable[[Entry], Hashable | None]
) -> dict[Hashable, Entry]:
    keyed = [(key(one), one) for one in entries]
    count = Counter(found for found, _one in keyed)
    return {found: one for found, one in keyed if found is not None and count[found] == 1}


def _name_and_birth(one: Entry) -> Hashable | None:
    return (plain(one.name), one.born_on) if one.born_on else None


def _candidates(
    left: Sequence[Entry], right: Sequence[Entry]
) -> Iterator[tuple[int, Entry, Entry, str]]:
    """Yield pairs with their rank: the names tell more than the kind of slip in the number."""
    for one, other in _sharing(left, right, _slips):
        first, second = one.number or "", other.number or ""
        if len(first) == len(second) and sum(map(ne, first, second)) > 1:
            continue
        is_check = first[:-1] == second[:-1]
        likeness = "check" if is_check else "digit"
        yield 2 * _distance(one, other) + (not is_check), one, other, likeness
    for one, other in _sharing(left, right, _spoken):
        if plain(one.name) != plain(other.name):
            yield 3, one, other, "homophone"


def _distance(one: Entry, other: Entry) -> int:
    if plain(one.name) == plain(other.name):
        return 0
    return 1 if sounds(one.name) & sounds(other.name) else 2


def _sharing(
    left: Sequence[Entry], right: Sequence[Entry], keys: Callable[[Entry], Iterable[Hashable]]
) -> Iterator[tuple[Entry, Entry]]:
    """Yield each pair that has a key in common, once; the shorter list is the one that is kept."""
    is_swapped = len(left) > len(right)
    kept, asked = (right, left) if is_swapped else (left, right)
    held: dict[Hashable, list[Entry]] = {}
    for one in kept:
        for key in set(keys(one)):
            held.setdefault(key, []).append(one)
    for one in asked:
        found = {id(other): other for key in set(keys(one)) for other in held.get(key, ())}
        for other in found.values():
            yield (one, other) if is_swapped else (other, one)


def _slips(one: Entry) -> Iterator[Hashable]:
    """Yield keys that two numbers share when a digit was mistyped, left out or typed twice."""
    number = one.number or ""
    without = [number[:at] + number[at + 1 :] for at in range(len(number))]
    if len(number) == NUMBER_LENGTH:
        yield from (f"{number[:at]}?{number[at + 1 :]}" for at in range(len(number)))
        yield from (("short", shorter) for shorter in without)
        yield "long", number
    elif len(number) == NUMBER_LENGTH - 1:
        yield "short", number
    elif len(number) == NUMBER_LENGTH + 1:
        yield from (("long", shorter) for shorter in without)


def _spoken(one: Entry) -> Iterator[Hashable]:
    if one.born_on is not None:
        yield from ((one.born_on, sound) for sound in sounds(one.name))
