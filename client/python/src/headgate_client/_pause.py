"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST_PAUSE = 0.2
"""Seconds. The pause before the nth new try is a random part of FIRST_PAUSE * 2**n, at most of LONGEST_PAUSE."""
LONGEST_PAUSE = 20.0


def pause(failures: int) -> float:
    """Returns the random wait after so many failures in a row."""
    longest = LONGEST_PAUSE
    if failures < 20:
        longest = min(longest, FIRST_PAUSE * 2**failures)
    return random.random() * longest
