"""Extraction gives both spaces, reuses what is finished, and survives kill -9 without losing or changing a byte."""

from dataclasses import replace

import kill_extraction
import numpy as np
import pytest
import torch

from elsa_nb.errors import CorruptFileError
from elsa_nb.images.encoders.preprocessing import IMAGENET_GEOMETRY
from elsa_nb.images.encoders.small_resnet import Architecture, Encoder, scaled_to_one
from elsa_nb.images.extraction.embed import embed_folder, embed_profile
from elsa_nb.images.extraction.extract import encode, extract, extract_all
from elsa_nb.images.extraction.folder_pools import extract_folder
from elsa_nb.images.extraction.settings import ExtractionSettings
from elsa_nb.store import sha256_bytes

FILES = ("vectors.npy", "ids.npy", "pool.json")
SPACES = ("embedding", "projection")


class Squares:
    """Random images, made anew from their row number."""

    def __init__(self, n=50, seed=0):
        self.pixels = np.random.default_rng(seed).integers(0, 256, size=(n, 32, 32), dtype=np.uint8)
        self.ids = np.array([f"square-{i}" for i in range(n)])
        self.sha256 = sha256_bytes(self.pixels.tobytes())
        self.asked = []

    def __len__(self):
        return len(self.pixels)

    def images(self, rows=None):
        self.asked.append(rows)
        return self.pixels if rows is None else self.pixels[rows]


def tiny(name="tiny", seed=0):
    torch.manual_seed(seed)
    encoder = Encoder(Architecture(widths=(4, 8), blocks=(1, 1), projector=(8, 8, 6)), name=name, sha256=f"w{seed}")
    return encoder.eval()


def test_both_pools_hold_what_one_forward_pass_gives(tmp_path):
    source, encoder = Squares(), tiny()
    pools = extract(source, encoder, folder=tmp_path, batch=16, dtype="float32")
    with torch.inference_mode():
        told = dict(zip(SPACES, encoder(scaled_to_one(source.pixels)), strict=True))
    for space in SPACES:
        pool = pools[space]
        np.testing.assert_allclose(pool.vectors, told[space].numpy(), rtol=1e-4, atol=1e-5)
        assert (pool.name, pool.space) == (f"glyphs-tiny-{space}", space)
        assert pool.ids.tolist() == source.ids.tolist()
        assert pool.provenance["images"] == source.sha256
        assert pool.provenance["weights"] == "w0"
        assert pool.vectors.dtype == np.float32
    assert pools["embedding"].recipe != pools["projection"].recipe
    assert sorted(p.name for p in tmp_path.iterdir()) == ["glyphs-tiny-embedding", "glyphs-tiny-projection"]
    np.testing.assert_allclose(encode(source, encoder, batch=7)["projection"], told["projection"], rtol=1e-4, atol=1e-5)


def test_a_finished_pool_is_reused_and_says_so(tmp_path, capsys):
    first = extract(Squares(), tiny(), folder=tmp_path, batch=16)
    assert first["embedding"].vectors.dtype == np.float16
    capsys.readouterr()
    source = Squares()
    again = extract(source, tiny(), folder=tmp_path, batch=16)
    assert not source.asked
    assert capsys.readouterr().out.count("already here") == 2
    assert [again[s].sha256 for s in SPACES] == [first[s].sha256 for s in SPACES]


@pytest.mark.parametrize(
    "change",
    [{"source": Squares(seed=1)}, {"encoder": tiny(seed=1)}, {"dtype": "float32"}],
    ids=["images", "weights", "dtype"],
)
def test_other_images_weights_or_dtype_are_computed_anew(tmp_path, change):
    settings = {"source": Squares(), "encoder": tiny(), "dtype": "float16"}
    first = extract(**settings, folder=tmp_path)
    again = extract(**settings | change, folder=tmp_path)
    for space in SPACES:
        assert again[space].recipe != first[space].recipe
        assert again[space].sha256 != first[space].sha256


def test_a_damaged_finished_pool_is_refused_not_served(tmp_path):
    extract(Squares(), tiny(), folder=tmp_path)
    vectors = tmp_path / "glyphs-tiny-projection" / "vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-4])
    with pytest.raises(CorruptFileError, match=r"glyphs-tiny-projection"):
        extract(Squares(), tiny(), folder=tmp_path)


def test_vectors_that_are_not_finite_are_refused(tmp_path):
    encoder = tiny()
    with torch.no_grad():
        encoder.projector[6].weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match="row 0 "):
        extract(Squares(), encoder, folder=tmp_path)
    assert not (tmp_path / "glyphs-tiny-projection" / "pool.json").exists()


def test_bad_settings_are_refused(tmp_path):
    with pytest.raises(ValueError, match="batch is 0"):
        extract(Squares(), tiny(), folder=tmp_path, batch=0)
    with pytest.raises(ValueError, match=r"workers is -1; give 0 \(only this process\) or more"):
        extract_all(Squares(), {"tiny": tiny()}, name="x", folder=tmp_path, workers=-1)
    with pytest.raises(ValueError, match="'float64'"):
        extract(Squares(), tiny(), folder=tmp_path, dtype="float64")
    with pytest.raises(ValueError, match="batch is '8'; give 1 or more"):
        extract(Squares(), tiny(), folder=tmp_path, batch="8")


@pytest.mark.parametrize(
    ("function", "typed", "said"),
    [
        (embed_folder, "progres", "the nearest is 'progress'; allowed: name, folder, spaces, strict, dask, batch, "),
        (embed_folder, "strickt", "the nearest is 'strict'"),
        (embed_folder, "device", "allowed: name, folder"),  # found, not given
        (embed_profile, "skip_brocken", "the nearest is 'skip_broken'"),
        (extract_all, "space", "the nearest is 'spaces'"),
        (extract_folder, "resiser", "the nearest is 'resizer'"),
    ],
)
def test_an_option_that_does_not_exist_is_refused_before_anything_is_loaded_or_read(function, typed, said):
    given = {"name": "x"} if function in (extract_all, extract_folder) else {}
    with pytest.raises(TypeError, match=f"^{function.__name__} has no option {typed!r}; .*{said}"):
        function(None, **({} if function is embed_profile else {"encoders": None}), **given, **{typed: 1})


def test_settings_know_what_the_device_decides():
    told = ExtractionSettings(batch=7)
    assert (told.device == "cuda") == torch.cuda.is_available() == told.compiled
    assert told.computing["precision"] == ("float32" if told.device == "cpu" else "float16")
    assert told.batch_of(None) == told.batch_of(IMAGENET_GEOMETRY) == 7
    assert replace(told, batch=None, compiled=True).computing["compiled"] is True


def test_progress_is_off_unless_asked_for(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ELSA_PROGRESS", "0")
    extract(Squares(), tiny(), folder=tmp_path / "quiet")
    assert "%" not in "".join(capsys.readouterr())
    extract(Squares(), tiny(), folder=tmp_path / "shown", batch=8, progress=True)
    assert " 0/50" in (shown := capsys.readouterr().err)
    assert "images/s" in shown


def test_stopped_between_the_two_spaces(tmp_path, monkeypatch):
    """One space has a block more than the other: both end with the bytes of an uninterrupted run."""
    whole = extract(Squares(), tiny(), folder=tmp_path / "whole", batch=16)
    from elsa_nb.pool import PoolWriter

    write = PoolWriter.write

    def stop(self, block):
        if self.space == "projection" and self.rows_done == 32:
            raise KeyboardInterrupt
        write(self, block)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(PoolWriter, "write", stop)
        extract(Squares(), tiny(), folder=tmp_path / "cut", batch=16)
    source = Squares()
    cut = extract(source, tiny(), folder=tmp_path / "cut", batch=16)
    assert source.asked[0][0] == 32
    assert [cut[s].sha256 for s in SPACES] == [whole[s].sha256 for s in SPACES]


def test_the_ways_of_a_gpu_give_the_same_vectors_but_for_precision(tmp_path, monkeypatch):
    """Compiled batches have one size: the last is filled up, and what fills it is not written."""
    sizes = []

    def compiled(network):
        return lambda images: sizes.append(len(images)) or network(images)

    monkeypatch.setattr(torch, "compile", compiled)
    source, encoder = Squares(), tiny()
    told = extract(source, encoder, folder=tmp_path / "plain", batch=16, dtype="float32")
    for precision, tolerance in (("float32", 1e-5), ("bfloat16", 0.1), ("float16", 0.02)):
        options = {"folder": tmp_path / precision, "name": "glyphs", "batch": 16, "dtype": "float32"}
        pools = extract_all(source, {"tiny": encoder}, compiled=True, precision=precision, **options)["tiny"]
        for space in SPACES:
            np.testing.assert_allclose(pools[space].vectors, told[space].vectors, rtol=tolerance, atol=tolerance)
        assert pools["embedding"].provenance["precision"].startswith(precision)
    assert set(sizes) == {16}
    with pytest.raises(ValueError, match="precision is 'int8'; allowed: float32, float16, bfloat16"):
        extract_all(source, {"tiny": encoder}, name="x", precision="int8", folder=tmp_path)


def test_only_the_spaces_asked_for_and_only_the_encoders_not_done(tmp_path):
    source, first, second = Squares(), tiny("first"), tiny("second", seed=1)
    extract_all(source, {"first": first}, name="s", folder=tmp_path, spaces={"first": ("projection",)})
    assert [p.name for p in tmp_path.iterdir()] == ["s-first-projection"]
    calls = []
    first.register_forward_hook(lambda *_: calls.append(1))
    both = {"first": first, "second": second}
    pools = extract_all(source, both, name="s", folder=tmp_path, spaces={"first": ("projection",)})
    assert not calls
    assert {title: list(each) for title, each in pools.items()} == {"first": ["projection"], "second": list(SPACES)}


def extract_squares(folder, hold_at=None):
    torch.set_num_threads(1)
    if hold_at is not None:
        kill_extraction.hold(folder, hold_at)
    extract(Squares(600), tiny(), folder=folder, batch=8)


@pytest.mark.slow
def test_kill_minus_nine_again_and_again_gives_the_bytes_of_an_uninterrupted_run(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for blocks in (10, 60):  # of 75
        process = kill_extraction.start(extract_squares, killed, blocks + 10)
        kill_extraction.kill_at(process, killed, blocks)
        assert 10 <= kill_extraction.blocks(killed) <= blocks + 10
    last = kill_extraction.start(extract_squares, killed)
    last.join()
    assert last.exitcode == 0
    assert len(extract(Squares(600), tiny(), folder=whole, batch=8)["embedding"]) == 600
    for space in SPACES:
        for file in FILES:
            parts = (folder / f"glyphs-tiny-{space}" / file for folder in (killed, whole))
            assert next(parts).read_bytes() == next(parts).read_bytes()


@pytest.mark.parametrize(
    ("way", "n", "kills"),
    [
        pytest.param(kill_extraction.extract_own, 12, 1, marks=pytest.mark.slow, id="extract_own-1"),
        *(
            pytest.param(way, 32, 3, marks=pytest.mark.thorough, id=f"{way.__name__}-3")
            for way in (kill_extraction.extract, kill_extraction.extract_own)
        ),
    ],
)
def test_many_encoders_and_workers_killed_again_and_again(tmp_path, way, n, kills):
    kill_extraction.prepare(tmp_path, n=n)
    told = kill_extraction.kill_and_resume(tmp_path, kills, n=n, extract=way)
    assert told["kills"] == kills
    assert told["same"]


@pytest.mark.parametrize(
    ("setting", "value"), [("batch", True), ("workers", True), ("compiled", "yes"), ("compiled", 1), ("progress", "no")]
)
def test_a_setting_of_another_kind_is_refused(setting, value):
    with pytest.raises(ValueError, match=f"^{setting} is {value!r}; give "):
        ExtractionSettings(**{setting: value})


def test_extract_takes_every_setting_and_names_the_nearest_of_one_that_it_does_not_know():
    with pytest.raises(
        TypeError, match="extract has no option 'worker'; the nearest is 'workers'; allowed: folder, name"
    ):
        extract(None, None, worker=2)
    with pytest.raises(ValueError, match="workers is -1"):
        extract(None, None, workers=-1)
