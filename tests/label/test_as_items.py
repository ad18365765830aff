"""What a notebook hands over as images or texts: shown as it is meant, or refused in a sentence that names the row."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import Image

from elsa_nb.errors import MissingDataError
from elsa_nb.label import Fixed, Panel
from elsa_nb.label.as_items import as_items
from elsa_nb.label.identity import names_of
from elsa_nb.label.items import Arrays, Files, Paths, Pictures, Texts
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import Search

SLOPE = np.linspace(0, 1, 48).reshape(1, 6, 8).repeat(3, axis=0)  # three grey pictures, dark to bright


def shown(items, row=0):
    with Image.open(io.BytesIO(items.content(row, 224).data)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(
    "images",
    [
        SLOPE,
        SLOPE.astype(np.float32)[..., None],
        SLOPE.astype(np.float16)[:, None],
        (SLOPE * 255).astype(np.uint8),
        (SLOPE * 255).astype(np.int64),
        (SLOPE * 4095).astype(np.uint16),
        (SLOPE * 4095).astype(">u2"),
        (SLOPE * 1e6 - 5e5).astype(np.int32),
        np.stack([SLOPE] * 3, axis=1),
        np.stack([SLOPE] * 3, axis=-1) * 7e-6 - 3e-6,
        torch.tensor(SLOPE, requires_grad=True)[:, None],
        torch.tensor(SLOPE).to(torch.bfloat16),
        list(SLOPE),
        [SLOPE[0], SLOPE[0][..., None], torch.tensor(SLOPE[0])[None]],
        pd.Series(list(SLOPE)),
        [Image.fromarray((each * 255).astype(np.uint8)) for each in SLOPE],
        [Image.fromarray((each * 4095).astype(np.uint16)) for each in SLOPE],
        *([Image.fromarray((each * 255).astype(np.uint8)).convert(mode) for each in SLOPE] for mode in ("RGB", "RGBA")),
        [Image.fromarray((each * 255).astype(np.uint8)).convert("RGB").resize((8, 6)).copy() for each in SLOPE],
    ],
    ids=lambda images: f"{type(images).__name__}-{getattr(images, 'dtype', '')}-{getattr(images, 'shape', '')}",
)
def test_pictures_of_every_kind_go_from_black_to_white(images):
    items = as_items(images)
    assert list(items.ids) == ["0", "1", "2"]
    pixels = shown(items, 1)
    assert pixels.shape == (6, 8, 3)
    assert np.abs(pixels[..., 0].astype(float) - 255 * SLOPE[0]).max() < 16  # percentiles are rounded outwards
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_one_range_for_all_rows_keeps_a_dark_picture_dark():
    images = np.stack([SLOPE[0] * 100, SLOPE[0] * 4000]).astype(np.uint16)
    assert shown(as_items(images), 0).max() < 20
    assert shown(as_items(images), 1).max() > 240


@pytest.mark.parametrize("form", [np.uint16, np.float32, np.int32])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_one_range_for_all_pictures_keeps_a_dark_one_dark(form, as_bytes):
    pictures = [Image.fromarray((SLOPE[0] * top).astype(form)) for top in (100, 4000)]
    if as_bytes:
        streams = [io.BytesIO() for _ in pictures]
        for picture, stream in zip(pictures, streams, strict=True):
            picture.save(stream, "TIFF")
        pictures = [stream.getvalue() for stream in streams]
    items = as_items([*pictures, b"\xff\xd8 no picture" if as_bytes else Image.new("RGB", (4, 4))])
    assert shown(items, 0).max() < 20
    assert shown(items, 1).max() > 240


def test_a_picture_that_is_broken_stops_nobody(tmp_path):
    Image.effect_noise((64, 64), 50).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:1500])
    with Image.open(tmp_path / "a.png") as broken:  # left open, it could fail whichever test comes next
        pictures = [Image.new("RGB", (8, 8)), broken]
        panel = Panel(Fixed(2, range(2)), pictures, tmp_path / "s.sqlite")
        assert panel.widget is not None
        panel.close()
        assert "no readable image" in as_items(pictures).content(1, 224).text


@pytest.mark.parametrize("kind", [np.uint8, bool, np.int64, np.float32])
def test_masks_of_0_and_1_are_black_and_white(kind):
    masks = (SLOPE > 0.5).astype(kind)
    assert (shown(as_items(masks))[..., 0] == 255 * (SLOPE[0] > 0.5)).all()
    grey = (SLOPE * 255).astype(np.uint8)
    grey[1] = 1  # a dark picture among others is no mask
    assert (shown(as_items(grey), 1) == 1).all()


def test_transparency_lies_on_white_and_ink_can_be_turned():
    clear = np.zeros((2, 4, 4, 4), np.uint8)
    assert (shown(as_items(clear)) == 255).all()
    black = np.zeros((2, 4, 4), np.uint8)
    assert (shown(Arrays(black, invert=True)) == 255).all()
    assert (shown(as_items(np.ones((2, 4, 4), bool))) == 255).all()


@given(st_numpy.arrays(st_numpy.floating_dtypes(endianness="="), (2, 3, 5)))
@example(np.full((2, 3, 5), np.inf, np.float16))
@example(np.full((2, 3, 5), np.nan))
def test_any_floats_make_a_picture_where_one_of_them_is_a_number(images):
    if np.isfinite(images[0]).any():
        assert shown(as_items(images)).shape == (3, 5, 3)
    else:
        with pytest.raises(ValueError, match="no pixel is a number"):
            shown(as_items(images))


@pytest.mark.parametrize(
    "texts",
    [
        ["one", "two"],
        ("one", "two"),
        np.array(["one", "two"]),
        np.array(["one", "two"], dtype=object),
        pd.Series(["one", "two"], index=[7, 9]),
        pd.Series(["one", "two"], dtype="category"),
        pa.array(["one", "two"]),
        pa.chunked_array([["one"], ["two"]]),
    ],
    ids=lambda texts: type(texts).__name__,
)
def test_columns_of_texts_are_texts(texts):
    items = as_items(texts)
    assert list(items.ids) == ["0", "1"]
    assert items.content(1, 224).text == "two"


@pytest.mark.parametrize("make", [torch.Tensor.to_sparse, torch.Tensor.bfloat16, lambda t: t.to(torch.float8_e4m3fn)])
def test_tensors_of_any_layout_and_type_are_pictures(make):
    rows = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]] * 2)
    assert (shown(as_items(make(rows))) == shown(as_items(rows))).all()


def panel_with(folder, **wrong):
    return Panel(Fixed(2, range(2)), ["a", "b"], folder / "s.sqlite", **wrong)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: Texts("hello"), "texts is of type str; give a list"),
        (lambda folder: Texts(["a", None]), "row 1 of texts is None"),
        (lambda folder: Paths("a.png"), "paths is of type str; give a list"),
        (lambda folder: Files(folder, "a.png"), "names is of type str; give a list"),
        (lambda folder: Files(folder, None), "names is of type NoneType; give a list"),
        (lambda folder: Panel(Fixed(5, range(5)), ["a", "b"], folder / "s.sqlite"), "2 images or texts .* 5 rows"),
        (
            lambda folder: Panel("harvest", ["a", "b"], folder / "s.sqlite"),
            "search of type str lacks query, update, log; give one",
        ),
        (lambda folder: panel_with(folder, oracle=[1, 0]), r"oracle of type list; give an object with label"),
        (lambda folder: panel_with(folder, estimate="bracket"), "estimate is 'bracket'; give None or a function"),
        (lambda folder: panel_with(folder, page=7), "page = 7; allowed: 12, 24"),
        (lambda folder: panel_with(folder, make_search=3), "make_search is 3; give None or a function"),
        (lambda folder: panel_with(folder, target="90 %"), "target = '90 %'; allowed: a share above 0"),
        (lambda folder: Panel(Fixed(2, range(2)), ["a", "b"], None), "session None; give the name of a session file"),
    ],
)
def test_one_value_where_a_list_is_wanted_is_refused(tmp_path, make, told):
    """The letters of a text are no rows."""
    with pytest.raises(ValueError, match=told):
        make(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_text_that_was_cut_within_a_letter_is_shown(tmp_path):
    """As JSON of messages holds it. No page can be sent such a half."""
    texts = ["smile \ud83d", "smile \ud83e", "smile \udcff"]
    pool = Pool.from_arrays(np.eye(3, dtype=np.float32))
    Panel(Search(pool, [0], rng=0), texts, session=tmp_path / "s.sqlite").close()
    items = Texts(texts)
    assert items.content(0, 100).text == "smile ?"
    assert len({items.digest(row) for row in range(3)}) == 3


@pytest.mark.parametrize("make", [Texts, Arrays, Pictures])
def test_no_ids_are_the_numbers_of_the_rows(make):
    given = {Texts: ["a", "b"], Arrays: np.zeros((2, 4, 4)), Pictures: [Image.new("L", (4, 4))] * 2}[make]
    assert list(make(given, None).ids) == list(make(given).ids) == ["0", "1"]
    assert list(make(given, ["x", "y"]).ids) == ["x", "y"]


def test_a_column_of_the_pool_s_items_in_another_order_is_refused(tmp_path):
    """Its rows would stand for other vectors."""
    pool = Pool.from_arrays(np.eye(3, dtype=np.float32), ["a", "b", "c"])
    texts = pd.Series(["one", "two", "three"], index=["a", "b", "c"])
    columns = (texts, texts[::-1].reset_index(drop=True), texts.set_axis(["x", "y", "z"]), texts[::-1].tolist())
    for i, column in enumerate(columns):
        Panel(Search(pool, [0], rng=0), column, tmp_path / f"{i}.sqlite").close()
    with pytest.raises(ValueError, match="row 0 is 'a' in the pool and 'c' among the images; give them in the pool's"):
        Panel(Search(pool, [0], rng=0), texts[::-1], tmp_path / "new.sqlite")
    assert not (tmp_path / "new.sqlite").exists()


def test_texts_are_in_the_order_of_a_column():
    assert Texts(pd.Series(["one", "two"], index=[1, 0])).content(0, 224).text == "one"


def test_a_folder_that_is_not_here_is_named(tmp_path):
    with pytest.raises(MissingDataError, match="nowhere is not here; give the folder"):
        Files(tmp_path / "nowhere", ["a.png"])


def test_paths_of_files_are_pictures(tmp_path, monkeypatch):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    for paths in ([tmp_path / "a.png"], [str(tmp_path / "a.png")], pd.Series([tmp_path / "a.png"])):
        assert (shown(as_items(paths)) == (255, 0, 0)).all()
    monkeypatch.chdir(tmp_path)
    assert (shown(as_items(["a.png"])) == (255, 0, 0)).all()
    with pytest.raises(ValueError, match=r"looks like a list of file names, and 'b\.png' is not in .*label\.Files"):
        as_items(["a.png", "b.png"])
    assert len(as_items([tmp_path / "a.png", Path("gone.png")]).ids) == 2
    with pytest.raises(ValueError, match=r"none of them is a file, such as 'gone\.png' seen from .*label\.Files"):
        as_items([Path("gone.png"), Path("a/b.png")])
    assert as_items(["a.png is first", "b.png"]).content(0, 9).kind == "text"


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (7, r"of type int; allowed: label\.Files"),
        ("a text", r"of type str; allowed"),
        ((t for t in "ab"), r"list\(images\)"),
        ([], r"an empty list"),
        (np.zeros((0, 4, 4)), r"an empty array"),
        (
            pd.DataFrame({"title": ["a"], "abstract": ["b"]}),
            r"one of its columns: images\[\.\.\.\] with title, abstract",
        ),
        (Pool.from_arrays(np.eye(2, dtype=np.float32)), r"label\.Files\(folder, pool\)"),
        (["text"] * 200 + [None], r"row 200 of images is None, others are of the kind text; give a text \(or \"\"\)"),
        (pd.Series(["a", None]), r"row 1 of images is (None|of type float)"),
        ([None, "a"], r"row 0 of images is None"),
        (["a", SLOPE[0]], r"row 1 of images is of type ndarray"),
        ([1.5, 2.5], r"row 0 of images is of type float; allowed"),
        ([SLOPE[0], np.zeros((2, 3, 5))], r"row 1 of images: a picture is float64 of shape \(2, 3, 5\); allowed"),
        (np.zeros((4, 6, 8, 2)), r"a picture is float64 of shape \(6, 8, 2\); allowed"),
        (np.zeros((4, 6, 8), complex), r"complex"),
        (np.zeros((64, 48, 3), np.uint8), r"looks like one colour picture"),
        (np.array([b"one", "zwölf".encode()]), r"bytes that hold text.*each\.decode\(\)"),
        (torch.empty(2, 3, 8, 8, device="meta"), r"cannot become an array"),
    ],
    ids=lambda given: given if isinstance(given, str) else type(given).__name__,
)
def test_what_cannot_be_shown_is_refused_at_once_in_one_sentence(images, told):
    with pytest.raises(ValueError, match=told):
        as_items(images)


@given(st.lists(st.one_of(st.none(), st.text(max_size=3), st.integers()), min_size=1, max_size=5))
def test_a_list_is_taken_whole_or_refused(values):
    if all(isinstance(value, str) for value in values):
        assert len(as_items(values).ids) == len(values)
    else:
        with pytest.raises(ValueError, match=r"row \d of images is"):
            as_items(values)


def test_a_shuffled_column_keeps_its_order_beside_a_pool_that_only_counts(tmp_path):
    texts = pd.Series(["a", "b", "c"], index=[2, 0, 1])
    vectors = np.eye(3, dtype=np.float32)
    for pool, ids in (
        (Pool.from_arrays(vectors), list("012")),
        (Pool.from_arrays(vectors, ["2", "0", "1"]), list("201")),
    ):
        panel = Panel(Search(pool, np.array([0]), rng=0), texts, session=tmp_path / f"{ids[0]}.sqlite")
        assert list(panel.controller.ids) == ids
        panel.close()
    with pytest.raises(ValueError, match="row 0 is '0' in the pool and '2' among the images"):
        names_of(["0", "2", "1"], Texts(texts.tolist()), ["2", "0", "1"])
