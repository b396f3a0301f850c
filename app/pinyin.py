"""Spell Chinese names so that they are found by pinyin and by initials."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

READINGS = 4
"""Most readings kept of a surname that has several (覃, 曾, 单)."""
LENGTH = 255


@lru_cache(maxsize=65536)
def search_key(name: str) -> str:
    """Return the name, its readings in pinyin and their initials, parted by spaces, in lower case.

    All readings of the first character are kept; the others take their usual one.
    """
    from pypinyin import Style, lazy_pinyin, pinyin  # heavy: loaded with the first name

    plain = "".join(name.split())
    if not plain:
        return ""
    heads = pinyin(plain[0], style=Style.NORMAL, heteronym=True)[0][:READINGS]
    tail = lazy_pinyin(plain[1:])
    words = [plain.lower()]
    for head, rest in product(heads, [tail]):
        words.append("".join([head, *rest]))
        words.append(head[:1] + "".join(part[:1] for part in rest))
    return " ".join(dict.fromkeys(word.lower() for word in words))[:LENGTH]
