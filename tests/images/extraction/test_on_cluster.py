"""A folder embedded by workers of a Dask cluster: the same bytes, resumable, and no worker that would give others."""

import re
from dataclasses import replace

import numpy as np
import pytest

from elsa_nb import cli
from elsa_nb.images.extraction import on_cluster
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.embed import embed_folder
from elsa_nb.images.extraction.folder_names import stamps
from elsa_nb.images.extraction.kept import KeptVectors, Stamp
from elsa_nb.images.extraction.on_cluster import Cluster, OnCluster
from elsa_nb.images.sources.files import open_folder

ENCODER = "efficientnet-lite0"


def embed(album, folder, **options):
    return embed_folder(album, [ENCODER], folder=folder, batch=2, workers=0, **options)[ENCODER]["embedding"]


@pytest.mark.first
@pytest.mark.slow
def test_two_workers_give_the_bytes_of_one_machine_and_an_interrupted_run_goes_on(
    album, tmp_path, data, capsys, monkeypatch
):
    from dask.distributed import LocalCluster

    (album / "cats" / "broken.jpg").write_bytes(b"no picture")
    alone = embed(album, tmp_path / "alone")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
        append = KeptVectors.append
        with monkeypatch.context() as patched:

            def stopping(self, names, vectors):
                append(self, names, vectors)
                raise KeyboardInterrupt

            patched.setattr(KeptVectors, "append", stopping)
            with pytest.raises(KeyboardInterrupt):
                embed(album, tmp_path / "there", dask=local.scheduler_address)
        capsys.readouterr()
        there = embed(album, tmp_path / "there", dask=local.scheduler_address)
    assert there.sha256 == alone.sha256
    assert "broken.jpg" in (tmp_path / "there" / there.name / "left-out.csv").read_text()
    said = capsys.readouterr().out
    assert "7 vectors, 5 of them computed now" in said or "7 vectors, 6 of them computed now" in said


@pytest.fixture
def batches(album, data, monkeypatch):
    """Return the batches of rows 1 and 4 as workers get them; these tell why they are unfit without a cluster."""
    caught = []

    def kept(function, pieces, address, what):
        caught.extend(arguments[0] for _, arguments in pieces)
        return iter(())

    class Encoder:
        sha256 = "weights"

    monkeypatch.setattr(on_cluster, "on_workers", kept)
    monkeypatch.setattr(on_cluster, "unfit", str)
    monkeypatch.setattr(on_cluster, "load_for_pictures", lambda name: Encoder())
    on_cluster._encoder.cache_clear()
    files = open_folder(album)
    source = OnCluster(Cluster("tcp://nowhere", {"a": "a"}), Crops(files), stamps(files), np.array([1, 4]), 3)
    settings = {"device": "cpu", "precision": "float32", "dtype": "float16", "compiled": False}
    assert not list(source.forward({"a": Encoder()}, **settings))
    yield caught
    on_cluster._encoder.cache_clear()


@pytest.fixture
def batch(batches):
    return batches[0]


def test_batches_are_parts_of_the_whole_folder_whatever_was_kept_and_carry_only_their_images(batches):
    told = [batch.crops.ids.tolist() for batch in batches]
    assert told == [["cats/0.jpg", "cats/1.jpg", "cats/2.jpg"], ["dogs/3.jpg", "dogs/4.jpg", "dogs/5.jpg"]]
    assert {(len(batch.stamps), batch.step) for batch in batches} == {(3, 3)}


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ({"encoders": {"a": ("a", "others")}}, "this worker's weights of a are not the client's"),
        ({"expected": '{"extraction": 0}'}, "this worker's extraction is not the client's: 1, expected 0"),
        ({"stamps": [Stamp(1, 1)] * 3}, "this worker does not have .*cats/0.jpg as the client has it"),
    ],
)
def test_a_worker_that_lacks_something_says_what(batch, lacking, said):
    assert re.search(said, on_cluster.embed_batch(batch._replace(**lacking)))


def test_a_worker_without_the_images_names_the_first(batch, tmp_path):
    elsewhere = replace(batch.crops, pictures=replace(batch.crops.pictures, root=tmp_path / "none"))
    assert "none/cats/0.jpg as the client has it" in on_cluster.embed_batch(batch._replace(crops=elsewhere))


def test_a_profile_is_not_embedded_on_a_cluster(capsys):
    assert cli.main(["embed", "--dask", "tcp://nowhere:1"]) == 1
    assert "--dask counts only with a folder of images" in capsys.readouterr().err
