"""Numbers of things in words: the one place that knows that one of them is singular."""

from decimal import Decimal


def count_of(n: int, one: str, many: str = "") -> str:
    """Return a number and what it counts: "1 vector", "1,200 vectors"; `many` is by default `one` with an s.

    >>> count_of(1, "class", "classes"), count_of(1200, "vector")
    ('1 class', '1,200 vectors')
    """
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"


def percent_of(share: float) -> str:
    """Return a share in percent with all its digits: 99.6 % must not be read as all.

    >>> percent_of(0.9), percent_of(0.996)
    ('90%', '99.6%')
    """
    return f"{(100 * Decimal(str(share))).normalize():f}%"
