"""Pools of a folder of one's own: nothing is embedded twice, whatever stopped the run or changed the folder."""

import os
import shutil
import subprocess
import sys

import numpy as np
import photographs
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from elsa_nb.errors import CorruptFileError
from elsa_nb.images.encoders import by_name
from elsa_nb.images.encoders.libraries import LibraryModel
from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.images.extraction import folder_pools
from elsa_nb.images.extraction.embed import embed_folder, place_of
from elsa_nb.images.extraction.folder_names import find_pool, folder_title
from elsa_nb.images.extraction.kept import KeptVectors, Stamp
from elsa_nb.option_names import by_command, told_by
from elsa_nb.pool import Pool, PoolWriter, pool_lock
from elsa_nb.vectors import check_vectors


@pytest.fixture
def seen(monkeypatch):
    """Put a small network in the place of timm's; return the list that gets how many images it is shown."""
    sizes = []
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.AvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(48, 5))
    network.register_forward_hook(lambda module, images, out: sizes.append(len(images[0])))
    load = lambda name: LibraryModel(network, f"timm:{name}", 5, CropGeometry(20, 16))  # noqa: E731
    monkeypatch.setattr(by_name, "load_timm", load)
    return sizes


def embed(album, **options):
    return embed_folder(album, ["timm:net"], batch=2, workers=0, **options)["timm-net"]["embedding"]


def stop_at(monkeypatch, call, error=KeyboardInterrupt):
    """Let the run end as by Ctrl-C when it keeps vectors for the `call`th time."""
    append, calls = KeptVectors.append, []

    def stopping(self, *arguments):
        calls.append(1)
        if len(calls) == call:
            raise error
        append(self, *arguments)

    monkeypatch.setattr(KeptVectors, "append", stopping)


def test_ctrl_c_costs_nothing_that_was_kept(data, album, seen, monkeypatch):
    whole = embed(album)
    shutil.rmtree(data / "pools")
    seen.clear()
    with monkeypatch.context() as patched:
        stop_at(patched, 3)
        with pytest.raises(KeyboardInterrupt):
            embed(album)
    assert not (place_of(whole) / "pool.json").exists()
    before = sum(seen)
    again = embed(album)
    assert sum(seen) - before == 7 - 4  # two batches of two were kept
    assert again.sha256 == whole.sha256
    assert not list(place_of(again).glob("kept*"))


def test_a_folder_whose_name_is_not_utf_8_is_embedded_and_known_again(data, album, seen):
    folder = album.rename(album.parent / os.fsdecode(b"caf\xe9"))
    pool = embed(folder)
    seen.clear()
    assert embed(folder).sha256 == pool.sha256
    assert not seen
    assert find_pool(folder, "timm:net") == (place_of(pool), "timm:net")


def test_views_that_an_encoder_sets_side_by_side_are_columns_of_their_own(data, album, seen, monkeypatch):
    load = by_name.load_timm
    views = {"embedding": (2, 3)}
    monkeypatch.setattr(by_name, "load_timm", lambda name: vars(made := load(name)).update(widths=views) or made)
    assert embed(album).columns == (slice(0, 2), slice(2, 5))
    photographs.write(album / "birds" / "0.jpg", photographs.encoded(photographs.scene(50)))
    with monkeypatch.context() as patched:  # killed at its last steps: what is known of the pool is on the disk only
        patched.setattr(PoolWriter, "finish", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            embed(album)
    assert embed(album).columns == (slice(0, 2), slice(2, 5))


def test_a_strict_run_keeps_what_it_had_when_it_met_a_broken_image(data, album, seen):
    photographs.write(album / "dogs" / "5b.jpg", photographs.odd_files()["truncated"])  # the last but one
    with pytest.raises(CorruptFileError, match=r"dogs/5b.jpg cannot be read .* What is embedded .* leave strict out"):
        embed(album, strict=True)
    with told_by(by_command), pytest.raises(CorruptFileError, match=r" --strict stops at .* leave --strict out"):
        embed(album, strict=True)
    (album / "dogs" / "5b.jpg").unlink()
    seen.clear()
    pool = embed(album, strict=True)
    assert len(pool) == 7
    assert sum(seen) <= 1


def test_a_grown_folder_costs_its_new_images_and_a_shrunk_one_none(data, album, seen):
    before = embed(album)
    photographs.write(album / "birds" / "0.jpg", photographs.encoded(photographs.scene(50)))
    seen.clear()
    grown = embed(album)
    assert sum(seen) == 1
    assert grown.ids.tolist() == ["birds/0.jpg", *before.ids.tolist()]
    np.testing.assert_array_equal(grown.vectors[1:], before.vectors)
    (album / "cats" / "1.jpg").unlink()
    seen.clear()
    assert len(embed(album)) == 7
    assert not seen


def test_an_image_that_was_replaced_is_embedded_again_though_its_size_is_the_same(data, album, seen):
    before = embed(album)
    path = album / "cats" / "1.jpg"
    other = photographs.encoded(photographs.scene(70))
    size = max(len(other), path.stat().st_size)
    for data_of_it in (path.read_bytes(), other):
        path.write_bytes(data_of_it.ljust(size, b"\0"))
        os.utime(path, ns=(0, len(seen)))
        seen.clear()
        pool = embed(album)
        assert sum(seen) == 1
    row = pool.ids.tolist().index("cats/1.jpg")
    assert not np.array_equal(pool.vectors[row], before.vectors[row])


def test_a_repaired_image_joins_the_pool(data, album, seen):
    path = album / "cats" / "9.jpg"
    photographs.write(path, photographs.odd_files()["truncated"])
    pool = embed(album)
    assert len(pool) == 7
    assert "cats/9.jpg" in (place_of(pool) / "left-out.csv").read_text()
    photographs.write(path, photographs.encoded(photographs.scene(9)))
    pool = embed(album)
    assert len(pool) == 8
    assert "cats/9.jpg" not in (place_of(pool) / "left-out.csv").read_text()


def test_only_broken_images_are_one_sentence(data, tmp_path, seen):
    photographs.write(tmp_path / "bad" / "1.jpg", b"x")
    with pytest.raises(CorruptFileError, match=r"The only image in .*bad cannot be read: "):
        embed(tmp_path / "bad")


def test_two_folders_of_one_name_never_meet(data, album, tmp_path, seen):
    shutil.copytree(album, tmp_path / "elsewhere" / album.name)
    first, second = embed(album), embed(tmp_path / "elsewhere" / album.name)
    assert first.name != second.name
    assert place_of(first).is_dir()
    embed(album, name="mine")
    with pytest.raises(ValueError, match=r"mine-timm-net-embedding is of the folder .*my album; .*: name=..."):
        embed(tmp_path / "elsewhere" / album.name, name="mine")
    Pool.from_arrays(np.eye(3, dtype=np.float32)).save(data / "pools" / "glyphs-timm-net-embedding")
    with pytest.raises(ValueError, match="was not made of a folder of images"):
        embed(album, name="glyphs")
    assert len(Pool.open(data / "pools" / "glyphs-timm-net-embedding")) == 3


def test_a_finished_pool_is_found_without_its_encoder_while_the_folder_is_the_same(data, album, seen):
    assert find_pool(album, "timm:net") is None
    pool = embed(album)
    assert find_pool(album, "timm:net") == (place_of(pool), "timm:net")
    assert find_pool(album) is None  # by another encoder than a default one
    os.utime(album / "cats" / "1.jpg", ns=(0, 5))
    assert find_pool(album, "timm:net") is None


def test_finding_a_pool_loads_no_torch():
    code = "import sys, elsa_nb.images.extraction.folder_names, elsa_nb.own_folder; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("step", ["before the card", "before the end", "inside the end"])
def test_a_kill_at_the_last_steps_loses_nothing(data, album, seen, monkeypatch, step):
    embed(album)
    photographs.write(album / "birds" / "0.jpg", photographs.encoded(photographs.scene(50)))
    with monkeypatch.context() as patched:
        if step == "before the card":
            patched.setattr("elsa_nb.images.extraction.kept.write_card", _killed)
        elif step == "before the end":
            patched.setattr(PoolWriter, "finish", _killed)
        else:
            patched.setattr("elsa_nb.pool.write_card", _killed)
        with pytest.raises(KeyboardInterrupt):
            embed(album)
    seen.clear()
    pool = embed(album)
    assert not seen
    assert len(pool) == 8
    assert pool.sha256 == Pool.open(place_of(pool)).sha256
    shutil.rmtree(place_of(pool))
    assert embed(album).sha256 == pool.sha256


def _killed(*_):
    raise KeyboardInterrupt


def test_other_settings_start_afresh(data, album, seen):
    embed(album)
    seen.clear()
    assert embed(album, dtype="float32").vectors.dtype == np.float32
    assert sum(seen) == 7
    for options, sentence in (({"dtype": "int8"}, "dtype is 'int8'"), ({"precision": "int8"}, "precision is 'int8'")):
        with pytest.raises(ValueError, match=sentence):
            embed(album, **options)


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 400), flip=st.integers(0, 59))
def test_whatever_an_interrupted_run_left_only_whole_rows_are_taken_up(tmp_path_factory, cut, flip):
    folder = tmp_path_factory.mktemp("kept")
    held = pool_lock(folder).acquire()
    stamps = {f"{i}.jpg": Stamp(i, i) for i in range(6)}
    vectors = np.arange(30, dtype=np.float16).reshape(6, 5)
    kept = KeptVectors(folder, "m", 5, "float16", stamps, held)
    for first in (0, 2, 4):
        kept.append([f"{first}.jpg", f"{first + 1}.jpg"], vectors[first : first + 2])
    lines = (folder / "kept.txt").read_bytes()
    (folder / "kept.txt").write_bytes(lines[:cut])
    part = bytearray((folder / "kept.part").read_bytes())
    part[flip] ^= 255
    (folder / "kept.part").write_bytes(part)
    again = KeptVectors(folder, "m", 5, "float16", stamps, held)
    known = [item for item in stamps if again.knows(item)]
    assert len(known) <= flip // 20 * 2  # nothing from the damaged batch on
    again.append(list(stamps), vectors)
    about = {"name": "n", "space": "embedding", "recipe": "r", "provenance": {}}
    pool = again.finish(np.array(list(stamps)), about, "m", "/somewhere")
    np.testing.assert_array_equal(pool.vectors, vectors)


def test_vectors_that_are_not_finite_name_the_image(tmp_path):
    kept = KeptVectors(tmp_path, "m", 1, "float16", {"a.jpg": Stamp(1, 1)}, pool_lock(tmp_path).acquire())
    with pytest.raises(
        ValueError, match=r"The vector of a.jpg is not finite as float16: store float32 \(dtype='float32'"
    ):
        kept.append(["a.jpg"], np.array([[1e6]]))
    with told_by(by_command), pytest.raises(ValueError, match=r"store float32 \(`--dtype float32`\)"):
        kept.append(["a.jpg"], np.array([[-1e6]]))
    assert not kept.knows("a.jpg")


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_what_is_no_number_is_told_from_a_number_that_is_too_large(tmp_path, dtype):
    kept = KeptVectors(tmp_path, "m", 2, dtype, {"a.jpg": Stamp(1, 1)}, pool_lock(tmp_path).acquire())
    for odd in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"The vector of a\.jpg") as caught:
            kept.append(["a.jpg"], np.array([[np.nan, odd]]))
        assert "holds NaN" in str(caught.value) and "store float32" not in str(caught.value)
        assert "precision='float32'" in str(caught.value)
    with pytest.raises(ValueError, match="infinite as float32" if dtype == "float32" else "store float32"):
        kept.append(["a.jpg"], np.array([[1, np.inf]]))
    with pytest.raises(ValueError, match=r"row 0 is not finite \(NaN\) as float.*: drop the row"):
        check_vectors(np.array([[np.nan, np.inf]], dtype))


def test_a_full_disk_is_told_by_the_folder_of_the_pool(tmp_path):
    kept = KeptVectors(tmp_path, "m", 1, "float16", {"a.jpg": Stamp(1, 1)}, pool_lock(tmp_path).acquire())
    (tmp_path / "kept.part").unlink()
    (tmp_path / "kept.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match=f"No space left on device: '{tmp_path}'"):
        kept.append(["a.jpg"], np.array([[1]]))
    assert not kept.knows("a.jpg")


def test_the_bar_tells_images_and_the_time_left(data, album, seen, monkeypatch, capsys):
    embed(album, progress=True)
    shown = capsys.readouterr().err
    assert "of 7 images" in shown
    assert "left" in shown
    assert folder_pools.LIST == "left-out.csv"
    assert folder_title(album).startswith("my-album-")


def test_a_grown_folder_of_deep_grey_keeps_its_range_and_costs_its_new_images_only(data, tmp_path, seen):
    root = tmp_path / "cells"
    root.mkdir()
    slope = np.linspace(0, 1, 32 * 24).reshape(24, 32)
    for i in range(4):
        Image.fromarray((200 + 900 * i * slope).astype(np.uint16)).save(root / f"{i}.tif")
    before = embed(root)
    seen.clear()
    Image.fromarray((60_000 * slope).astype(np.uint16)).save(root / "bright.tif")
    after = embed(root)
    assert sum(seen) == 1
    assert after.provenance["decoding"] == before.provenance["decoding"]
    assert before.provenance["decoding"]["integers"][1] < 5000
    assert (after.vectors[:4] == before.vectors).all()
    shutil.rmtree(data / "pools")
    assert embed(root).provenance["decoding"]["integers"][1] > 5000
