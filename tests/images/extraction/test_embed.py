"""A folder of photographs becomes pools: one set of encoder names, and one naming of pools, for `embed` and `label`."""

import csv
import re
import shlex

import miniature
import numpy as np
import photographs
import pytest
import torch
from PIL import Image

from elsa_nb import cli, store
from elsa_nb.errors import CorruptFileError
from elsa_nb.images.encoders import by_name
from elsa_nb.images.encoders.libraries import LibraryModel
from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.images.encoders.small_resnet import Architecture, Encoder, save_encoder
from elsa_nb.images.extraction.embed import ExampleEncoder, embed_folder
from elsa_nb.images.extraction.folder_names import folder_title, place_of
from elsa_nb.images.extraction.precision import neighbour_overlap
from elsa_nb.pool import Pool


def test_a_folder_of_photographs_becomes_pools(synthetic, album, capsys):
    arguments = ["embed", str(album), "--encoder", "official:vicreg", "--encoder", "obow"]
    assert cli.main([*arguments, "--workers", "0", "--batch", "4"]) == 0
    pools = sorted(path.name for path in (synthetic / "pools").iterdir())
    title = folder_title(album)
    assert pools == [
        f"{title}-official-obow-embedding",
        f"{title}-official-vicreg-embedding",
        f"{title}-official-vicreg-projection",
    ]
    pool = Pool.open(synthetic / "pools" / pools[2])
    assert pool.ids.tolist()[0] == "cats/0.jpg"
    assert pool.vectors.shape == (7, 20)
    assert pool.provenance["broken"] == 0
    assert pool.provenance["resizer"] == "torch"
    assert f"To label: elsa-nb label '{album}' --pool {synthetic / 'pools' / pools[0]}\n" in capsys.readouterr().out
    assert cli.main([*arguments, "--workers", "2"]) == 0
    assert capsys.readouterr().out.count("already here") == 3


def test_broken_photographs_are_left_out_and_listed_or_stop_a_strict_run(synthetic, album, capsys):
    photographs.write(album / "cats" / "broken.jpg", photographs.odd_files()["truncated"])
    photographs.write(album / "notes.docx", b"")
    arguments = ["embed", "--images", str(album), "--name", "album", "--encoder", "official:obow", "--workers", "2"]
    assert cli.main([*arguments, "--strict"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("elsa-nb: The image cats/broken.jpg cannot be read (")
    assert error.count("\n") == 1
    assert cli.main(arguments) == 0
    assert "Left out: 1 image that cannot be read" in (told := capsys.readouterr().out)
    assert "1 .docx" in told
    place = synthetic / "pools" / "album-official-obow-embedding"
    pool = Pool.open(place)
    assert len(pool) == 7
    assert pool.provenance["broken_ids"] == ["cats/broken.jpg"]
    listed = list(csv.reader((place / "left-out.csv").read_text().splitlines()))
    assert [line[0] for line in listed] == ["path", "notes.docx", "cats/broken.jpg"]
    assert all(reason for _, reason in listed)
    assert cli.main([*arguments, "--skip-broken"]) == 0  # the name that this had before


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--batch", "0"], "batch is 0"),
        (["--workers", "-3"], "workers is -3"),
        (["--dtype", "int8"], "dtype is 'int8'"),
        (["--precision", "double"], "precision is 'double'"),
        (["--resizer", "none"], "resizer is 'none'; allowed: pillow, torch"),
        (["--encoder", "nothing-of-that-name"], "'nothing-of-that-name'"),
    ],
)
def test_what_was_mistyped_is_told_before_any_file_is_looked_at(synthetic, album, capsys, monkeypatch, typed, said):
    monkeypatch.setattr("elsa_nb.images.extraction.embed.open_folder", lambda *_, **__: pytest.fail("it looked"))
    assert cli.main(["embed", str(album), *typed]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert not told.out


def test_who_names_no_folder_is_told_what_is_embedded_instead(capsys, monkeypatch):
    monkeypatch.setattr("elsa_nb.images.extraction.embed.embed_profile", lambda *_, **__: {})
    assert cli.main(["embed"]) == 0
    assert "The pools of profile quick; `elsa-nb embed FOLDER` makes" in capsys.readouterr().out


def test_a_packed_folder_is_to_be_unpacked(tmp_path, capsys):
    (tmp_path / "pictures.ZIP").write_bytes(b"PK")
    assert cli.main(["embed", str(tmp_path / "pictures.ZIP")]) == 1
    assert "is a file, not a folder: unpack it, and name the folder." in capsys.readouterr().err


def test_an_encoder_of_small_images_is_refused_for_photographs(data, album):
    encoder = Encoder(Architecture(widths=(4, 8), blocks=(1, 1), projector=(8, 8, 6)), name="mine")
    save_encoder(encoder, {}, data / "weights")
    with pytest.raises(ValueError, match="'mine' was trained on small images of its own kind"):
        embed_folder(album, ["mine"])


@pytest.fixture
def libraries(monkeypatch):
    """Put a small network in the place of any model of timm or torchvision."""

    def load(library):
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.AvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(48, 5))
        return lambda name: LibraryModel(network, f"{library}:{name}", 5, CropGeometry(20, 16))

    for library in ("timm", "torchvision"):
        monkeypatch.setattr(by_name, f"load_{library}", load(library))


@pytest.fixture
def jobs(monkeypatch):
    """Return the list that gets what `elsa-nb label` would serve."""
    asked = []
    monkeypatch.setattr("elsa_nb.label.launch.launch", lambda job, **address: asked.append(job))
    return asked


ENCODERS = {
    "official:obow": "official-obow",
    "obow": "official-obow",
    "timm:vit.tiny": "timm-vit.tiny",
    "torchvision:net": "torchvision-net",
    "food-101-vicreg": "food-101-vicreg",
}


@pytest.mark.parametrize(("encoder", "title"), ENCODERS.items())
def test_label_takes_every_encoder_of_embed_and_finds_its_pool(
    synthetic, libraries, album, jobs, capsys, monkeypatch, encoder, title
):
    monkeypatch.chdir(album.parent)
    photographs.write(synthetic / "checkpoints" / "food-101-vicreg.pth", miniature.published("vicreg"))
    assert cli.main(["label", str(album), "--encoder", encoder, "--like", str(album / "dogs" / "5.jpg")]) == 0
    place = store.DATA / "pools" / f"{folder_title(album)}-{title}-embedding"
    assert jobs[0].pool == str(place)
    pool = Pool.open(jobs[0].pool)
    assert pool.ids[jobs[0].samples[0][0]] == "dogs/5.jpg"
    capsys.readouterr()
    assert cli.main(["embed", "--images", str(album), "--encoder", encoder]) == 0
    assert f"{place.name}: 7 vectors were already here" in capsys.readouterr().out


def test_what_was_left_out_is_told_whenever_the_folder_is_opened(synthetic, album, jobs, capsys, monkeypatch):
    monkeypatch.chdir(album.parent)
    photographs.write(album / "cats" / "broken.jpg", b"")
    photographs.write(album / "notes.docx", b"")
    for _ in range(2):
        capsys.readouterr()
        assert cli.main(["label", str(album), "--encoder", "official:obow"]) == 0
    told = capsys.readouterr().out
    assert "are here: 7 images" in told
    assert re.search(r"Left out: 2 files; listed with the reason in \S+/left-out.csv", told)
    for job in jobs:  # the page says it, too, whenever it is opened
        assert re.search(r"2 files are left out; \S+/left-out.csv says why\.", job.remark)


def test_pictures_that_show_little_are_named_on_the_page_whenever_it_is_opened(
    synthetic, album, jobs, capsys, monkeypatch
):
    monkeypatch.chdir(album.parent)
    for i, most in enumerate([60_000, 60_000, 60_000, 60, 60]):
        pixels = np.linspace(0, most, 64 * 64).reshape(64, 64).astype(np.uint16)
        Image.fromarray(pixels).save(album / f"deep-{i}.tif")
    for _ in range(2):
        assert cli.main(["label", str(album), "--encoder", "official:obow"]) == 0
    assert len(jobs) == 2
    for job in jobs:
        assert "2 are one flat grey by that (deep-3.tif, deep-4.tif), since" in job.remark
    for i in (3, 4):
        (album / f"deep-{i}.tif").unlink()
    assert cli.main(["label", str(album), "--encoder", "official:obow"]) == 0
    assert "flat grey" not in jobs[-1].remark


def test_label_refuses_the_encoders_that_embed_refuses(data, album, jobs, capsys):
    encoder = Encoder(Architecture(widths=(4, 8), blocks=(1, 1), projector=(8, 8, 6)), name="mine")
    save_encoder(encoder, {}, data / "weights")
    for name, sentence in (("mine", "'mine' was trained on small images"), ("clip:vit", "'clip' is not known before")):
        for command in (["label", str(album)], ["embed", "--images", str(album)]):
            assert cli.main([*command, "--encoder", name]) == 1
            assert sentence in capsys.readouterr().err
    assert not jobs


def test_examples_are_encoded_as_their_pool_is(libraries, data, album):
    photographs.write(album / "turned.jpg", photographs.rotated_by_exif(photographs.scene(9)))
    pool = embed_folder(album, ["timm:net"])["timm-net"]["embedding"]
    rows = [pool.ids.tolist().index(name) for name in ("turned.jpg", "cats/1.jpg")]
    examples = ExampleEncoder(by_name.load_for_pictures("timm:net"), decoding=pool.provenance["decoding"])
    paths = [album / name for name in pool.ids[rows]]
    np.testing.assert_array_equal(examples.encode_images(paths), pool.vectors[rows])
    (album / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(CorruptFileError, match=f"The image {album / 'broken.jpg'} is broken"):
        examples.encode_images([album / "broken.jpg"])


def test_a_pool_by_its_place_is_asked_with_its_own_encoder_and_no_other(libraries, data, album, jobs, capsys):
    pool = embed_folder(album, ["timm:net"])["timm-net"]["embedding"]
    arguments = ["label", str(album), "--pool", str(place_of(pool)), "--like", str(album / "dogs" / "5.jpg")]
    assert cli.main([*arguments, "--session", str(data / "s.sqlite")]) == 0
    assert pool.ids[jobs[0].samples[0][0]] == "dogs/5.jpg"
    assert cli.main([*arguments, "--encoder", "torchvision:other"]) == 1
    assert "are by timm:net, not by torchvision:other" in capsys.readouterr().err


def test_label_puts_the_vectors_of_several_encoders_side_by_side(libraries, data, album, jobs, capsys):
    both = ["--encoder", "timm:net", "--encoder", "torchvision:other"]
    arguments = ["label", str(album), *both, "--like", str(album / "dogs" / "5.jpg")]
    data.mkdir(exist_ok=True)
    for session in ("first", "second morning"):
        capsys.readouterr()
        assert cli.main([*arguments, "--session", str(data / f"{session}.sqlite")]) == 0
    assert "are here: 7 images, by timm:net and torchvision:other" in capsys.readouterr().out
    joined = Pool.open(data / "pools" / f"{folder_title(album)}-timm-net-and-torchvision-other-embedding")
    parts = embed_folder(album, ["timm:net", "torchvision:other"], spaces=("embedding",))
    assert joined.widths == tuple(spaces["embedding"].d for spaces in parts.values())
    assert [job.samples[0][0] for job in jobs] == [joined.ids.tolist().index("dogs/5.jpg")] * 2
    photographs.write(album / "new.jpg", photographs.encoded(photographs.scene(77)))
    assert cli.main([*arguments, "--session", str(data / "grown.sqlite")]) == 0
    assert "new.jpg" in Pool.open(data / "pools" / joined.name).ids
    assert cli.main(["label", str(album), *both[:2], *both[:2]]) == 1
    assert "the encoder timm:net is named twice" in capsys.readouterr().err
    assert cli.main(["label", str(album), "--encoder", "official:obow", "--encoder", "obow"]) == 1  # of two names
    assert "the encoder obow is named twice" in capsys.readouterr().err
    assert cli.main([*arguments[:2], *both[:2], *arguments[-2:], "--pool", str(data / "pools" / joined.name)]) == 1
    assert "are by 2 encoders, and 1 is named with --encoder: leave --encoder out" in capsys.readouterr().err


@pytest.mark.parametrize("encoders", [["timm:net"], ["torchvision:other", "timm:net"]], ids=["alone", "side by side"])
def test_an_example_is_nearest_to_itself_by_an_encoder_of_several_views(
    libraries, monkeypatch, data, album, jobs, encoders
):
    for name, load in (("load_timm", by_name.load_timm), ("load_torchvision", by_name.load_torchvision)):
        monkeypatch.setattr(by_name, name, lambda model, load=load: in_views(load(model)))
    named = [word for each in encoders for word in ("--encoder", each)]
    assert cli.main(["label", str(album), *named, "--like", str(album / "dogs" / "5.jpg")]) == 0
    pool = Pool.open(jobs[0].pool)
    assert pool.ids[jobs[0].samples[0][0]] == "dogs/5.jpg"
    assert len(pool.columns) == 2 * len(encoders)


def in_views(encoder):
    encoder.widths = {"embedding": (2, encoder.dimensions["embedding"] - 2)}
    return encoder


def test_neighbours_of_half_precision_are_compared_with_those_of_float32():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 16)).astype(np.float32)
    assert neighbour_overlap(vectors, vectors) == 1
    assert 0.99 < neighbour_overlap(vectors, vectors.astype(np.float16)) <= 1
    coarse = np.round(vectors)
    assert 0.5 < neighbour_overlap(vectors, coarse, queries=64) < 0.95
    assert neighbour_overlap(vectors, rng.normal(size=(300, 16))) < 0.3
    with pytest.raises(ValueError, match="more than 50"):
        neighbour_overlap(vectors[:50], vectors[:50])


def test_what_embed_prints_of_several_encoders_works_as_it_stands(libraries, data, album, jobs, capsys, monkeypatch):
    monkeypatch.chdir(album.parent)
    both = ["--encoder", "timm:net", "--encoder", "torchvision:other"]
    for name in ([], ["--name", "my owls"]):
        assert cli.main(["embed", str(album), *both, *name]) == 0
        said = capsys.readouterr().out
        for command in re.findall(r"(?<=elsa-nb ).*", said):
            assert cli.main(shlex.split(command)) == 0
        assert "now" not in capsys.readouterr().out  # nothing is computed anew
        assert len(Pool.open(jobs[-1].pool).widths) == 2
    assert cli.main(["embed", str(album), *both, *both[:2]]) == 1
    assert "the encoder timm:net is named twice" in capsys.readouterr().err


def test_precision_is_not_compared_of_too_few_images(libraries, data, album, capsys):
    assert cli.main(["embed", str(album), "--encoder", "timm:net", "--check-precision"]) == 0
    said = capsys.readouterr().out
    assert "timm-net: 7 images; the 50 nearest are compared of 51 or more" in said
    assert "To label: " in said
