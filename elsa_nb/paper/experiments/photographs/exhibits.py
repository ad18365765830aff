"""What notebooks 09 and 17 show: the tables of other experiments once more, on photographs, and Table 11."""

from functools import partial

from elsa_nb.paper.experiments.photographs.tables import (
    beyond_chance,
    components_beside_paper,
    supervised_beside_paper,
    supervised_components,
    table11,
    without_known_dishes,
)
from elsa_nb.paper.measures.budgets import equal_budget
from elsa_nb.paper.measures.by_arm import arms_beside_paper
from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "09-photographs"
_BEYOND, _TABLE_2, _TABLES_3_4 = "beyond the paper", "Table 2, on photographs", "Tables 3 and 4, on photographs"
_FIG_2 = "Fig. 2, on photographs"
_seeds = partial(arms_beside_paper, table=2)


def _exhibit(name: str, title: str, paper_item: str, sweep: str = "", rows=None, notebook=_NOTEBOOK) -> Exhibit:
    return Exhibit(name, title, paper_item, notebook, sweep, rows, photographs=True)


_supervised = partial(_exhibit, sweep="supervised", notebook="17-photographs-supervised")


def _table(number):
    return partial(supervised_beside_paper, table=number)


EXHIBITS = (
    _exhibit("photos-training", "Encoders of photographs while they were trained", _BEYOND),
    _exhibit("photos-encoders", "What the encoders of photographs are worth", _BEYOND),
    _exhibit("photos-table02", "ELSA by the number of seeds, on photographs", _TABLE_2, "components", _seeds),
    _exhibit("photos-tables03-04", "Components, on photographs", _TABLES_3_4, "components", components_beside_paper),
    _exhibit("photos-fig02", "Components over seeds, on photographs", _FIG_2, "components", components_beside_paper),
    _exhibit("photos-thinned-table02", "The same, the class thinned", _TABLE_2, "thinned", _seeds),
    _exhibit(
        "photos-thinned-tables03-04", "The same, the class thinned", _TABLES_3_4, "thinned", components_beside_paper
    ),
    _exhibit("photos-thinned-fig02", "The same, the class thinned", _FIG_2, "thinned", components_beside_paper),
    _exhibit("photos-equal-budget", "Discovery at equal budget, on photographs", _BEYOND, "thinned", equal_budget),
    _exhibit("photos-chance", "Finds besides the seeds, against chance", _BEYOND, "components", beyond_chance),
    _exhibit("photos-thinned-chance", "The same, the class thinned", _BEYOND, "thinned", beyond_chance),
    _exhibit("table11", "ELSA by the number of seeds on Food-101", "Table 11", "food-101", table11),
    _supervised("supervised-table02", "ELSA by the number of seeds, supervised space", _TABLE_2, rows=_table(2)),
    _supervised("supervised-tables03-04", "Components, supervised space", _TABLES_3_4, rows=supervised_components),
    _supervised("supervised-fig02", "Components over seeds, supervised space", _FIG_2, rows=supervised_components),
    _supervised(
        "supervised-table11", "ELSA on Food-101, supervised space", "Table 11, supervised space", rows=_table(11)
    ),
    _supervised("supervised-equal-budget", "Discovery at equal budget, supervised space", _BEYOND, rows=equal_budget),
    _supervised("supervised-dishes", "With and without dishes that ImageNet knows", _BEYOND, rows=without_known_dishes),
)
