"""Spell Chinese names so that they are found by pinyin and by initials."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

READINGS = 4
"""Most readings kept of a surname that has several (覃, 曾, 单)."""
LONGEST = 255
"""Characters that are kept of a name and its readings."""
LENGTH = 1500
"""Characters that a key has at most."""
SEPARATOR = "\n"
"""Stands before each entry of the index; whoever types a name cannot type it."""
ASCII = 127


@lru_cache(maxsize=65536)
def search_key(name: str) -> str:
    """Return what a name is found by: itself, its readings and initials, and entries of an index.

    The words are parted by spaces and in lower case. All readings of the first character are kept;
    the others take their usual one. The entries are the ``pairs`` of the words.
    """
    words = _words(name)
    entries = dict.fromkeys(entry for word in words.split(" ") for entry in pairs(word))
    return SEPARATOR.join([words, *entries])


@lru_cache(maxsize=65536)
def sounds(name: str) -> frozenset[str]:
    """Return how a name may sound, without tones: names that share a sound are homophones 同音."""
    from pypinyin import Style, lazy_pinyin, pinyin  # heavy: loaded with the first name

    plain = "".join(name.split()).lower()
    if not plain:
        return frozenset()
    heads = pinyin(plain[0], style=Style.NORMAL, heteronym=True)[0][:READINGS]
    tail = "".join(lazy_pinyin(plain[1:]))
    return frozenset(f"{head}{tail}" for head in heads)


def pairs(text: str) -> list[str]:
    """Return the neighbouring characters of a text, two by two, and each Chinese one by itself.

    A text that holds another holds its pairs. Signs of ASCII are left out: databases part words
    there. A single Latin letter is in nearly every name and has no entry.
    """
    found = [text[n : n + 2] for n in range(len(text) - 1)]
    found += [character for character in text if ord(character) > ASCII]
    return [entry for entry in found if all(map(_is_kept, entry))]


def _is_kept(character: str) -> bool:
    return ord(character) > ASCII or character.isalnum()


def _words(name: str) -> str:
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
    return " ".join(dict.fromkeys(word.lower() for word in words))[:LONGEST]
