"""Which pictures and snapshots of a run's past to keep."""

import math
from collections.abc import Sequence


def surplus(steps: Sequence[int], keep: int, newest: int = 1) -> list[int]:
    """The steps to forget so that `keep` (more than `newest`) remain: dense early, where much changes, and log-spaced later.

    The first and the `newest` are always kept. Greedy: of all others the one whose removal leaves the smallest gap, measured on log(step + last / 20),
    goes first.
    """
    left = sorted(steps)
    offset = left[-1] / 20 + 1 if left else 1
    place = [math.log(step + offset) for step in left]
    gone = []
    while len(left) > keep:
        index = min(range(1, len(left) - newest), key=lambda i: place[i + 1] - place[i - 1])
        gone.append(left.pop(index))
        place.pop(index)
    return sorted(gone)
