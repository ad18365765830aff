"""What notebook 18 shows."""

from functools import partial

from elsa_nb.paper.measures.exhibit import Exhibit

# Pools of photographs are called "supervised" in all of them, and their titles say what that means.
_SUPERVISED = "supervised: the encoder knows the classes of Tiny-ImageNet"
_exhibit = partial(Exhibit, paper_item="beyond the paper", notebook="18-equal-budgets")


def _of_photographs(name: str, title: str) -> Exhibit:
    return _exhibit(name, f"{title} ({_SUPERVISED})")


EXHIBITS = (
    _of_photographs("equal-curves", "Discovery against labels, at equal budgets"),
    _of_photographs("equal-overheads", "Labels per find at shares of a class"),
    _of_photographs("equal-classes", "Worst class, wins and losses, time of a round"),
    _of_photographs("equal-ratios", "Labels of every searcher, Harvest's are 1"),
    _exhibit("equal-texts", "Labels per find on texts, with more labels"),
    _of_photographs("equal-rare", "Labels per find in rare classes"),
    _of_photographs("equal-goals", "Harvest against its goals"),
    _of_photographs("equal-forms", "Classes of two forms"),
    _of_photographs("equal-beginning", "Finds among the first ten labels"),
    _of_photographs("equal-five", "Labels per find from five examples"),
    _of_photographs("equal-stages", "What vectors with the encoder's stages save"),
    _of_photographs("equal-parts", "What each part of Harvest is worth"),
)
