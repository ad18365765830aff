"""A slice of `make faults`: whatever is damaged, and whenever the disk fails, the rest is whole or one sentence."""

import signal

import pytest

from benchmarks import damage, faults
from benchmarks.fuzzed_readers import FUZZED
from elsa_nb import store

GOOD = {"inputs", "refused", "the same", "other values, no checksum", "faults", "whole"}
SLOW = {"weights", "neighbour lists", "bundled encoder", "results"}


@pytest.mark.parametrize("seed", [1])
def test_damaged_files_are_refused_in_one_sentence_or_read_as_before(seed):
    counts = damage.count_damage(5 * len(FUZZED), seed, FUZZED)
    strange = {(name, what) for name, each in counts.items() for what in each if what not in GOOD}
    assert not strange
    assert sum(each["refused"] for each in counts.values()) > 2 * len(counts)
    assert store.locate("claims") == damage.verdicts.CLAIMS  # whoever comes next finds the places as they were


@pytest.mark.slow
def test_a_disk_that_fails_leaves_what_was_there_or_what_was_to_come():
    writers = {name: writer for name, writer in faults.WRITERS.items() if name not in SLOW}
    counts = faults.count_faults(writers, step=4)
    assert not {(name, what) for name, each in counts.items() for what in each if what not in GOOD}
    assert all(each["whole"] >= 4 for each in counts.values())


def test_the_count_sees_what_it_should():
    """A writer that is not careful is found out."""

    def careless(folder):
        with (folder / "it.json").open("w") as stream:
            stream.write('{"value": [')
            stream.write("2]}")

    before, _, read = vars(faults.WRITERS["a card"]).values()
    counts = faults.count_faults({"careless": faults.Writer(before, careless, read)})["careless"]
    assert counts["faults"] > counts["whole"]


def test_the_disk_only_fails_below_its_folder(tmp_path):
    (tmp_path / "in").mkdir()
    with faults.Disk(0).under(tmp_path / "in"):
        (tmp_path / "out").write_text("fine")
        with pytest.raises(OSError, match="Input/output"):
            (tmp_path / "in" / "it").write_text("fails")


def test_what_works_without_an_end_hangs_and_a_timer_that_was_set_goes_on(monkeypatch):
    monkeypatch.setattr(damage, "PATIENCE", 0.05)
    before = signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with pytest.raises(TimeoutError), damage.patience():
            while True:
                pass
        assert 900 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1000
        assert signal.getitimer(signal.ITIMER_PROF)[0] == 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
