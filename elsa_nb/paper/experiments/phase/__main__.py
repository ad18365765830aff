"""Make the generated pools and run the searches of notebook 16: `python -m elsa_nb.paper.experiments.phase`.

Nine gigabytes and an hour on one core. Stopped at any moment it goes on from there.
"""

from dataclasses import replace

from elsa_nb.paper.experiments.phase import sweep
from elsa_nb.paper.runs import runner
from elsa_nb.paper.runs.generated import POOLS, write

_FULL = sweep.IMAGENET, sweep.NEAREST


def main() -> None:
    """Write the pools that are not there, then run what is missing of each sweep, a few more classes at a time."""
    for dataset in POOLS.values():
        for name in dataset.blends:
            write(dataset, name)
    for plan in (sweep.GRID, sweep.WIDE):
        runner.run(plan, "full", workers=1)
    for classes in range(1, max(plan.n_classes for plan in _FULL) + 1):
        for plan in _FULL:  # the same class twice: its neighbour lists are still there
            runner.run(replace(plan, n_classes=min(classes, plan.n_classes)), "full", workers=1)


if __name__ == "__main__":
    main()
