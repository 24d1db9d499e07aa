"""Values that nobody means, drawn for wherever a text is taken."""

import random

HUGE = "9" * 30
# Percent signs that are in an address as they are: no UTF-8.
RAW = "(raw)"
NASTY = [
    *("", " ", "0", "-1", "1.5", "1e999", "nan", "inf", "-0", HUGE, f"-{HUGE}", "9223372036854775808", "9" * 5000),
    *("\x00", "a\x00b", "\x01\x02\x1b\x7f", "\r\n\t", "\ud7ff\ufffe\uffff", "\U0001f600\U0010ffff", "\u202e\u200b"),
    *("a" * 10_000, " ".join("abcdefghijklmnopqrstuvwxyz" * 20)),
    *("'", '"', "%", "_", "\\", "';--", "' OR 1=1 --", "1);DROP TABLE x;--", "../../etc/passwd"),
    *("{}", "[]", "[1,2]", "1,2,x", ",", "None", "null", "True", "on", "abc"),
    *("\u0663", "\xb2", "\uff11", "0x10", "1_000", "<script>", "{{ 7 }}", "$(id)"),
    *("2026-02-30", "0000-00-00", "99999-01-01", "9999-12-31T23:59:59", "0001-01-01", "25:61"),
    *("before-1", f"after-{HUGE}", "-", "--", "=", "&", "?", "#", "/", "//", ":", RAW),
    *("airports.airport", "airports.airport:1", f"airports.airport:{HUGE}", "00000000-0000-0000-0000-000000000000"),
]
_CHARACTERS = "a0 .,;:'\"=+-@\\/%_\t\n\x00\x1f\x7fé日\u0301\U0001f600"


def nasty(draw: random.Random) -> str:
    """Return one of them, or a short text of characters that mean something somewhere."""
    if draw.random() < 0.85:
        return draw.choice(NASTY)
    return "".join(draw.choices(_CHARACTERS, k=draw.randrange(1, 12)))


def damaged(draw: random.Random, content: bytes) -> bytes:
    """Return bytes of which some are flipped, cut, doubled or put in."""
    for _ in range(draw.randrange(1, 4)):
        place = draw.randrange(len(content) + 1)
        match draw.randrange(5):
            case 0:
                content = content[:place]
            case 1:
                content = content[:place] + bytes([draw.randrange(256)]) + content[place + 1 :]
            case 2:
                content = content[:place] + content[place : place + draw.randrange(1, 300)] * draw.choice([2, 2, 30])
            case 3:
                content = content[:place] + nasty(draw).encode("utf-8", "surrogatepass") + content[place:]
            case 4:
                content = content[:place] + content[place + draw.randrange(1, 50) :]
    return content
