"""Capture and recapture: how many positives no proposer found, estimated from the finds that several of them share.

Proposers that search on their own, such as nearest neighbours beside a head, share some finds and make others alone.
If each found a positive with the same chance, whether or not it is like the others, then with

    t          proposers
    once       finds that one of them proposed,  twice  finds that two of them proposed
    missing <- (t - 1) / t once^2 / (2 twice)

is what they all missed (Chao, 1987; for two proposers with equally many finds, the estimate of Lincoln and Petersen).
Positives are not equally easy to find, and what is hard for one proposer is hard for the others; the estimate is then
too low: Chao calls it a lower bound. It is a rival of the `bracket`, which needs no labels of a second proposer.
"""

import numpy as np

from elsa_nb.search.stopping.remaining import Evidence, Missing, silence

_LEAST_TWICE = 5
_SURE = 1.96  # standard deviations of the interval, of log(missing)


def capture_recapture(evidence: Evidence) -> Missing:
    """Return Chao's estimate from the finds of all proposers; what only the others found counts as missing.

    Silent without another proposer, and while fewer than five finds are shared.
    """
    if evidence.caught is None or len(evidence.caught) < 2:
        return silence("Only one proposer searched.")
    times = evidence.caught.sum(0)
    once, twice = (int(np.count_nonzero(times == k)) for k in (1, 2))
    if twice < _LEAST_TWICE:
        return silence(f"Fewer than {_LEAST_TWICE} finds were proposed twice.")
    beside = int(np.count_nonzero(~evidence.caught[0]))
    how = f"{once} finds of one proposer alone, {twice} of two, {beside} of them not of this search"
    low, middle, high = (beside + each for each in chao(once, twice, len(evidence.caught)))
    return Missing(middle, low, high, how)


def chao(once: int, twice: int, proposers: int) -> tuple[float, float, float]:
    """Return how many positives no proposer found, with the ends of the 95 % interval: (low, middle, high).

    `once` and `twice` (at least 1) are the finds of exactly one and two of the `proposers`. The interval is that of a
    log-normal with the variance of Chao (1987), with r = once / twice and A = (t - 1) / t:

        variance <- twice (A r^2 / 2 + A^2 r^3 + A^2 r^4 / 4)
    """
    if twice < 1 or once < 0 or proposers < 2:
        raise ValueError(
            f"once = {once}, twice = {twice}, proposers = {proposers}; allowed: once from 0, twice from 1, two "
            "proposers or more"
        )
    if not once:
        return 0.0, 0.0, 0.0
    part, ratio = (proposers - 1) / proposers, once / twice
    middle = part * once * ratio / 2
    variance = twice * (part * ratio**2 / 2 + part**2 * (ratio**3 + ratio**4 / 4))
    spread = float(np.exp(_SURE * np.sqrt(np.log1p(variance / middle**2))))
    return middle / spread, middle, middle * spread
