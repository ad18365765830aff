"""The canaries bite: another effect of any one field of a configuration changes the log of one of them.

Run by `make verify`, after the pools were made. `make unit` asks only that no strategy and no field is left out.
"""

from dataclasses import fields, replace

import pytest

from elsa_nb.paper.runs import simulation, validity, verification
from elsa_nb.paper.runs.grid import Setting, strategy_of
from elsa_nb.paper.runs.place import Place
from elsa_nb.search.config import SearchConfig
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.strategies.greedy_probe import ProbeConfig
from elsa_nb.search.strategies.harvest import HarvestConfig
from elsa_nb.search.strategies.registry import strategies

# What each field is changed to; where two values are given, the one that the canary does not have.
OTHER = {
    SearchConfig: {
        "rounds": (9,), "a": (49,), "l": (49,), "b": (49,), "b_slope": (1.02,), "b_floor": (True, False),
        "b_added": (True, False),
        "alpha_1": (1.05,), "alpha_2": (2.05,), "final_budget": (1,), "use_rands": (True, False),
        "use_head": (True, False), "use_final": (True, False), "nn_per": ("query", "total"),
        "nn_queries": ("all positives", "new positives"), "nn_alone": ("goes on", "ends"),
        "rands": ("appendix b", "sampled points"),
        "negatives": ("all", "round"), "confidence": ("logit", "probability"),
        "head": (HeadConfig("mlp"),), "final_head": (HeadConfig("linear-sgd", steps=10),),
        "head_space": ("embedding", "search"), "zero_pass": (True, False), "relabel": (True, False),
        "nothing_barred": (True, False),
    },
    ProbeConfig: {
        "budget": (1999,), "batch": (11,), "growth": (0.11,), "weak_negatives": (49,), "head": (HeadConfig(l2=1.1),),
    },
    HarvestConfig: {
        "budget": (1999,), "batch": (11,), "growth": (0.11,), "most_rows": (150,), "weak_negatives": (499,),
        "weak_weight": (0.11,), "l2": (1.1,), "least_found": (2e-6,), "least_refused": (2e-3,), "judges": (("line",),),
        "balanced": (False,), "least_side": (20.0,),
    },
    HeadConfig: {
        "kind": ("mlp", "logistic"), "l2": (1.1,), "steps": (99,), "learning_rate": (6e-4,), "weight_decay": (0.1,),
        "hidden": (63,), "least_positives": (60,),
    },
}  # fmt: skip
# Where a field has an effect at all: canaries that ask in the final search, a network that has hidden units.
MATTERS = {
    "final_budget": lambda row, config: row["final_labels"] > 1,
    "final_head": lambda row, config: row["arm"] == "No Active" and row["final_labels"] > 1,
    "hidden": lambda row, config: config.head.kind == "mlp",
}
CASES = [(kind, field.name) for kind in OTHER for field in fields(kind)]


@pytest.fixture(scope="module")
def canaries():
    rows = verification.canary_rows()
    rows = rows[
        (rows["profile"] == "full") & rows["encoder"].isin(["vicreg", "barlow-twins"]) & (rows["labels"] < 10_000)
    ]
    return rows.sort_values("labels").to_dict("records")


def test_every_strategy_has_canaries_and_another_value_for_each_field(canaries):
    of = {strategy_of(row["arm"]).config_class for row in canaries}
    assert of == {SearchConfig, *(each.config_class for each in strategies().values())}
    assert of < set(OTHER)
    for kind, others in OTHER.items():
        assert set(others) == {field.name for field in fields(kind)}


def run(row, config):
    setting = Setting(**{name: row[name] for name in validity.FIELDS})
    place = Place.of(row["profile"], setting.encoder, setting.space, setting.dataset)
    return simulation.run_unit([setting], place, [config])[0]["log_sha256"]


@pytest.mark.thorough
@pytest.mark.parametrize(("kind", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_one_canary_falls_for_each_field(canaries, kind, name):
    tried = 0
    for row in canaries:
        config = validity.config_of(strategy_of(row["arm"]).name, row["config"])
        inner = config.head if kind is HeadConfig else config
        if not isinstance(inner, kind) or (name in MATTERS and not MATTERS[name](row, config)):
            continue
        other = next((value for value in OTHER[kind][name] if value != getattr(inner, name)), None)
        if other is None:
            continue
        changed = replace(inner, **{name: other})
        tried += 1
        if run(row, replace(config, head=changed) if kind is HeadConfig else changed) != run(row, config):
            return
        assert tried < 25, f"{tried} canaries do not notice another {kind.__name__}.{name}"
    raise AssertionError(f"none of {tried} canaries notices another {kind.__name__}.{name}")
