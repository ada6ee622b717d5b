"""Numbers as they are spoken in English."""

from __future__ import annotations

import re

from facewire_phonemes import tables

_NUMBER = re.compile(
    r"(?P<currency>[$£€])?(?P<whole>\d[\d,]*)(?:\.(?P<part>\d+))?(?P<suffix>st|nd|rd|th|s|%)?"
)
_LONGEST = 15  # digits read as one number; longer ones are spelled digit by digit


def spoken(token: str) -> list[str] | None:
    """Return the words of a number (``1999``, ``$5``, ``3rd``, ``28.8``, ``10:30``), or None."""
    if re.fullmatch(r"\d{1,2}:\d\d", token):
        hour, minute = token.split(":")
        return cardinal(int(hour)) + _minutes(minute)
    found = _NUMBER.fullmatch(token)
    if not found:
        return None
    whole = found["whole"].replace(",", "")
    words = _whole(whole, year="," not in token and not found["currency"] and not found["part"])
    if found["currency"]:
        return words + _money(found["currency"], whole, found["part"])
    if found["part"]:
        words = [*words, "point", *digits(found["part"])]
    return _suffixed(words, found["suffix"])


def cardinal(number: int) -> list[str]:
    """Return a whole number's words: 342 is three hundred forty two."""
    table = tables.text()
    if number < 20:
        return [table["ones"][number]]
    if number < 100:
        ones = [table["ones"][number % 10]] if number % 10 else []
        return [table["tens"][number // 10 - 2], *ones]
    if number < 1000:
        rest = cardinal(number % 100) if number % 100 else []
        return [table["ones"][number // 100], "hundred", *rest]
    words: list[str] = []
    for power in range(len(table["thousands"]) - 1, -1, -1):
        group = number // 1000**power % 1000
        if group:
            words += cardinal(group) + ([table["thousands"][power]] if power else [])
    return words


def digits(text: str) -> list[str]:
    """Return a string of digits spoken one by one."""
    ones = tables.text()["ones"]
    return [ones[int(digit)] for digit in text]


def _whole(text: str, year: bool) -> list[str]:
    number = int(text)
    if len(text) > _LONGEST or (len(text) > 1 and text[0] == "0"):
        return digits(text)
    if year and len(text) == 4 and 1100 <= number < 2100 and number // 100 != 20:
        return _year(number)
    if year and len(text) == 4 and 2010 <= number < 2100:
        return _year(number)
    return cardinal(number)


def _year(number: int) -> list[str]:
    century, rest = divmod(number, 100)
    if rest == 0:
        return [*cardinal(century), "hundred"]
    return cardinal(century) + (["oh"] if rest < 10 else []) + cardinal(rest)


def _minutes(text: str) -> list[str]:
    minute = int(text)
    if minute == 0:
        return ["o'clock"]
    return (["oh"] if minute < 10 else []) + cardinal(minute)


def _money(symbol: str, whole: str, part: str | None) -> list[str]:
    one, many = tables.text()["currencies"][symbol]
    words = [one if whole == "1" else many]
    return words + (["and", *cardinal(int(part[:2].ljust(2, "0"))), "cents"] if part else [])


def _suffixed(words: list[str], suffix: str | None) -> list[str]:
    if suffix == "%":
        return [*words, "percent"]
    if suffix == "s":
        return [*words[:-1], _plural(words[-1])]
    return [*words[:-1], _ordinal(words[-1])] if suffix else words


def _ordinal(word: str) -> str:
    table: dict[str, str] = tables.text()["ordinals"]
    if word in table:
        return table[word]
    return word[:-1] + "ieth" if word.endswith("y") else word + "th"


def _plural(word: str) -> str:
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith("x") else "s")
