"""The searches of Fig. 3: a grid of radii and thresholds (or rounds, for NN) in three classes."""

from itertools import product

from elsa_nb.paper.runs.by_profile import by_profile
from elsa_nb.paper.runs.grid import Change, Sweep


def _grid(radii: tuple[int, ...], alphas: tuple[float, ...], rounds: tuple[int, ...]) -> tuple[Change, ...]:
    heads = (Change(f"a={a}, alpha_2={alpha}", arms=("ELSA", "No Active")) for a, alpha in product(radii, alphas))
    return (*heads, *(Change(f"a={a}, rounds={count}", arms=("NN",)) for a, count in product(radii, rounds)))


_GRID = _grid((10, 25, 50, 100, 200), (1.0, 1.5, 2.0, 3.0, 4.0), (2, 5, 10, 20))
_QUICK_GRID = _grid((25, 50, 100), (1.0, 2.0, 4.0), (5, 10))
TRADE_OFF = Sweep(
    "trade-off", ("vicreg",), arms=("ELSA", "No Active", "NN"), n_classes=3, changes=_GRID, chosen="by purity"
)
PRINTED_CLASSES = ("n04311174", "n02088364", "n03344393")  # Fig. 3: tight, sparse, typical
SWEEPS = {
    "trade-off": by_profile(
        TRADE_OFF, quick={"changes": _QUICK_GRID}, paper={"chosen": "by name", "targets": PRINTED_CLASSES}
    )
}
