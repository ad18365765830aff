"""The canaries: everything that a stored result rests on is in one of them, and what proves something is told apart."""

import re

import pandas as pd
import pytest

from elsa_nb import cli
from elsa_nb.paper.runs import verification
from elsa_nb.paper.runs.verification import Verified


@pytest.fixture(scope="module")
def every_row():
    return verification.rows_of_results(verification.committed_results())


def test_canaries_have_everything_that_stored_results_rest_on(every_row):
    decisive = [*verification.NAMED_BY, "sweep", "profile", "config"]
    unlike = every_row.drop_duplicates([name for name in decisive if name not in ("target", "repeat")])
    everything = set().union(*verification.facets_of(unlike))
    assert len(everything) > 200
    assert set().union(*verification.facets_of(verification.canary_rows())) == everything


def test_few_rows_are_chosen_and_they_have_every_facet(every_row):
    some = every_row[every_row["sweep"] == "noise"].head(400)
    chosen = verification.choose_canaries(some)
    assert len(chosen) < 40
    assert set().union(*verification.facets_of(chosen)) == set().union(*verification.facets_of(some))


def verified(**columns):
    blank = {"log_sha256": "a" * 64, "log_again": "a" * 64, "pool_sha256": "p" * 64, "pool_again": "p" * 64}
    named = dict.fromkeys((*verification.NAMED_BY, *verification.ROW_KEYS), "x")
    frame = pd.DataFrame({**named, **blank, "log_known": "", "pool_known": "", **columns}, index=range(2))
    return Verified(frame, frame[:0], {})


def test_another_log_in_the_same_pool_is_a_change():
    assert verified().changed.empty
    assert len(verified(log_again=["a" * 64, "b" * 64]).changed) == 1


def test_vectors_of_another_processor_prove_nothing():
    unlike = verified(log_again=["b" * 64, "a" * 64], pool_again=["q" * 64, "p" * 64])
    assert unlike.changed.empty
    assert "prove nothing here" in " ".join(unlike.sentences())


def test_what_was_recorded_for_this_processor_counts_instead_of_what_is_stored():
    short = verification.HASH_LETTERS
    recorded = {"log_known": "b" * short, "pool_known": "q" * short, "pool_again": "q" * 64}
    assert verified(log_again="b" * 64, **recorded).changed.empty
    assert len(verified(log_again="a" * 64, **recorded).changed) == 2
    assert verified(log_again="a" * 64, **{**recorded, "pool_again": "r" * 64}).changed.empty


def test_where_nothing_could_be_run_nothing_is_said_to_be_verified(monkeypatch, capsys):
    nothing = verified().ran[:0]
    monkeypatch.setattr(verification, "verify", lambda *_, **__: Verified(nothing, nothing, {"no pool": 1}))
    assert cli.main(["verify", "--row", "components", "17"]) == 1
    said = capsys.readouterr()
    assert "1 was not run: no pool" in said.out
    assert "nothing was verified" in said.err


def test_one_search_is_told_as_one():
    one = verified()
    assert Verified(one.ran[:1], one.ran[:0], {}).sentences() == ["1 stored search was run again: 1 has the same log."]


@pytest.mark.parametrize("which", [["--sample", "3"], ["--all"], ["--row", "NOPE", "3"]])
def test_without_stored_results_it_says_what_makes_some(tmp_path, monkeypatch, capsys, which):
    monkeypatch.setattr(verification.runner, "RESULTS", tmp_path)
    assert cli.main(["verify", *which]) == 1
    assert f"no stored searches are in {tmp_path}: `elsa-nb reproduce` makes some" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("which", "sentence"),
    [
        (["NOPE", "3"], r"sweep 'NOPE' of profile full is not stored; allowed: .*choices-in-pairs, .*--profile full\)"),
        (["food-101", "3"], r"components, food-101, supervised, thinned \(--profile photos\)"),
        (["components", "3", "--profile", "fast"], "profile 'fast' is not known; allowed: quick, full, photos, paper"),
    ],
)
def test_a_sweep_that_is_not_stored_is_told_beside_those_that_are(capsys, which, sentence):
    assert cli.main(["verify", "--row", *which]) == 1
    said = capsys.readouterr().err
    assert re.search(sentence, said)  # sweeps of other profiles may be stored, too, before those that are committed
    assert "reproduce" not in said
