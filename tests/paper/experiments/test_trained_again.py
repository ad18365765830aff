"""What trainings from other seeds differ by: from hand-made searches, and what is stored of the real ones."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.encoders import figures, trained_again
from elsa_nb.paper.runs import runner
from elsa_nb.store import ROOT

METHODS = ("vicreg", "barlow-twins")
WORTH = {0: 1.0, 1: 0.8, 2: 0.9}  # of the labels that training 0 costs


@pytest.fixture
def runs():
    rows = [
        {
            "space": "embedding",
            "reading": reading,
            "arm": "ELSA",
            "encoder": encoder,
            "training": training,
            "target": target,
            "repeat": repeat,
            "discovery_rate": 0.5,
            "labelling_efficiency": 0.1 / WORTH[training],
            "labels": (1000 + 100 * i) * (WORTH[training] if encoder == "vicreg" else 1),
        }
        for encoder, reading, training, (i, target), repeat in product(
            METHODS, ("paper", "released-code"), WORTH, enumerate("abcdefg"), (0, 1)
        )
    ]
    return pd.DataFrame(rows)


def test_the_spread_is_that_of_the_two_trainings_furthest_apart(runs):
    spread = trained_again.apart(runs).set_index(["reading", "encoder", "metric"])
    labels = spread.loc["paper", "vicreg", "labels"]
    assert labels["least"] == pytest.approx(0.8 * 1300)
    assert labels["most"] == pytest.approx(1300)
    assert labels[["ratio", "paired", "low", "high"]].tolist() == pytest.approx([1.25] * 4)
    same = spread.loc["paper", "barlow-twins", "labels"]
    assert same[["ratio", "low", "high"]].tolist() == pytest.approx([1, 1, 1])


def test_pairs_are_searches_of_the_same_class_and_examples(runs):
    """Searches in another order, and one that found nothing, change no other pair."""
    runs.loc[(runs["training"] == 1) & (runs["target"] == "a"), "labels"] = 0
    shuffled = runs.sample(frac=1, random_state=0)
    spread = trained_again.apart(shuffled).set_index(["reading", "encoder", "metric"])
    assert spread.loc["paper", "vicreg", "labels"]["paired"] == pytest.approx(1.25)


@pytest.fixture
def with_moco(runs):
    """Add the searches of an encoder that was trained once and costs twice the labels."""
    moco = runs[(runs["training"] == 0) & (runs["encoder"] == "vicreg")].assign(encoder="moco")
    return pd.concat([runs, moco.assign(labels=2 * moco["labels"])], ignore_index=True)


def test_the_spread_stands_beside_that_of_the_encoders(with_moco):
    beside = trained_again.beside_other_encoders(with_moco).set_index(["reading", "metric"])
    row = beside.loc["paper", "Labels spent"]
    assert row["trainings of VICReg"] == pytest.approx(1.25)
    assert row["trainings of Barlow Twins"] == pytest.approx(1)
    assert (row["encoders of Table 5"], row["encoders"]) == (2, 3)


def test_every_training_has_a_mark(with_moco):
    figure = figures.plot_trainings(trained_again.by_training(with_moco))
    assert [text.get_text() for text in figure.axes[-1].get_xticklabels()] == ["VICReg", "Barlow Twins", "MoCo"]
    for ax in figure.axes:
        hollow = [bars.lines[0].get_markerfacecolor() == "white" for bars in ax.containers]
        assert hollow == [*[False, True, True] * 2, False]


def test_the_stored_trainings_were_searched_alike():
    stored = trained_again.trainings_searched()
    again = stored[stored["encoder"].isin(METHODS)]
    searched = again.groupby(["encoder", "training"])[["space", "reading", "arm", "target", "repeat"]].apply(
        lambda rows: frozenset(map(tuple, rows.to_numpy()))
    )
    assert searched.nunique() == 1
    assert set(searched.index) == set(trained_again.trainings()[["encoder", "training"]].itertuples(index=False))


def test_training_0_is_the_bundled_encoder_as_the_committed_results_have_it():
    bundled = trained_again.trainings_searched().query("training == 0")
    for space, name in (("embedding", "encoders"), ("projection", "components")):
        key = ["encoder", "reading", "arm", "seeds", "target", "repeat"]
        both = bundled[bundled["space"] == space].merge(runner.stored_results(name, "full"), on=key, how="left")
        assert len(both) == (bundled["space"] == space).sum()
        assert (both["log"] == both["log_sha256"].str[:16]).all()
        for measure in ("labels", "discovery_rate", "labelling_efficiency"):
            assert np.array_equal(both[f"{measure}_x"], both[f"{measure}_y"])


def test_the_committed_figure_shows_them():
    shown = pd.read_csv(ROOT / "figures" / "encoders-trained-again.csv")
    now = trained_again.by_training(trained_again.trainings_searched())
    assert shown[["space", "reading", "arm", "encoder", "metric"]].equals(
        now[["space", "reading", "arm", "encoder", "metric"]]
    )
    for column in ("training", "median", "low", "high"):
        assert np.allclose(shown[column], now[column], rtol=1e-5)


def test_which_arm_is_cheaper_is_told_by_pairs_and_not_by_two_medians(runs):
    """No Active costs 1.2 times as much in every search; where two kinds of searches meet a median jumps."""
    elsa = runs[(runs["reading"] == "paper") & (runs["encoder"] == "vicreg")].assign(space="projection")
    elsa["labels"] *= 1 + 2.0 * elsa["target"].isin(list("bdf"))
    other = elsa.assign(arm="No Active", labels=1.2 * elsa["labels"])
    told = trained_again.without_head(pd.concat([elsa, other, runs])).set_index("training")
    assert told[["ratio", "low", "high"]].stack().tolist() == pytest.approx(9 * [1.2])
    assert told["repeats"].tolist() == [2, 2, 2]
    assert told.loc[0, "elsa"] == elsa.query("training == 0")["labels"].median()
    assert set(told["space"]) == {"projection"}  # the embedding was searched by ELSA alone


def test_the_head_saves_labels_in_every_training_by_the_stored_searches():
    told = trained_again.without_head(trained_again.trainings_searched())
    assert (told.query("reading == 'paper'")["low"] > 1).all()
