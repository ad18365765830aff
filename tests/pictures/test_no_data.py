"""Values that mean "no data" take no part in the range of greys; what was measured is never taken for one."""

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from elsa_nb.images.sources.files import open_folder
from elsa_nb.label.items import Arrays, Files, Paths, Pictures
from elsa_nb.option_names import by_command, told_by
from elsa_nb.pictures.decoding import Decoding, decoding_of, find_decoding, look
from elsa_nb.pictures.no_data import sentinels

SIDE = 96
y, x = np.mgrid[:SIDE, :SIDE]
HILL = np.exp(-((x - 50) ** 2 + (y - 40) ** 2) / 900)  # 0 to 1
EDGE = x < SIDE // 10  # a tenth of the pixels


def tiff(pixels, no_data=None, ink=False):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if ink:
        tags.tagtype[262], tags[262] = 3, 0
    if no_data is not None:
        tags.tagtype[42113], tags[42113] = 2, no_data
    stream = io.BytesIO()
    if pixels.dtype == np.int16:  # which Pillow reads and does not write
        tags.tagtype[339], tags[339] = 3, 2
        pixels = pixels.view(np.uint16)
    Image.fromarray(pixels).save(stream, "TIFF", tiffinfo=tags)
    return stream.getvalue()


def filled(values, missing, dtype=np.float32):
    return np.where(EDGE, dtype(missing), values.astype(dtype)).astype(dtype)


def shown_by_folder(path, pictures):
    path.mkdir()
    for i, data in enumerate(pictures):
        (path / f"{i}.tif").write_bytes(data)
    files = open_folder(path)
    return np.asarray(files.open(0))[..., 0], files


ORDINARY = {  # what is measured, what stands for nothing, the kind of numbers
    "elevation": (200 + 300 * HILL, -9999, np.float32),
    "elevation in whole numbers": (200 + 300 * HILL, -9999, np.int16),
    "the least of 16 bits": (200 + 300 * HILL, -32768, np.int16),
    "thermal": (29000 + 1500 * HILL, 65535, np.uint16),
    "a mosaic": (9000 + 1500 * HILL, 0, np.uint16),
    "the least of floats": (0.2 + 0.5 * HILL, -3.4028234663852886e38, np.float32),
    "climate": (273 + 20 * HILL, 1e20, np.float32),
    "vegetation": (0.1 + 0.6 * HILL, -9999, np.float32),
    "vegetation by -2": (0.2 + 0.5 * HILL, -2, np.float32),
}


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("name", ORDINARY)
def test_what_stands_for_no_data_is_black_and_the_rest_fills_the_greys(tmp_path, name, declared):
    values, missing, dtype = ORDINARY[name]
    data = tiff(filled(values, missing, dtype), str(missing) if declared else None)
    pixels, files = shown_by_folder(tmp_path / "own", [data] * 3)
    assert (pixels[EDGE] == 0).all()
    assert pixels[~EDGE].min() < 40 and pixels[~EDGE].max() > 215
    assert f"{missing:,.7g} is taken for no data and shown in black" in " ".join(files.remarks)
    assert "use few of the 256 greys" not in " ".join(files.remarks)

    kind = look(io.BytesIO(data)).kind
    opened = [partial(io.BytesIO, data)] * 3
    for how in (find_decoding({kind: opened}), decoding_of([data] * 3), Decoding.of(files.decoding.told())):
        assert how == files.decoding
        assert (np.asarray(how.picture(io.BytesIO(data)))[..., 0] == pixels).all()
        assert (np.asarray(how.shown(Image.open(io.BytesIO(data))))[..., 0] == pixels).all()
    alone = np.asarray(Decoding().picture(io.BytesIO(data)))[..., 0]
    assert (alone == pixels).all()


@pytest.mark.parametrize("name", ORDINARY)
def test_arrays_have_no_data_as_files_do(name, capsys):
    values, missing, dtype = ORDINARY[name]
    items = Arrays([filled(values, missing, dtype)[..., None]] * 3)
    assert f"{missing:,.7g} is taken for no data" in capsys.readouterr().out
    pixels = np.asarray(Image.open(io.BytesIO(items.content(0, SIDE).data)).convert("L"))
    assert (pixels[EDGE] == 0).all() and pixels[~EDGE].max() > 170


def test_several_values_at_both_ends_are_told():
    values = np.concatenate([200 + 300 * HILL.ravel(), np.full(900, -9999), np.full(900, -32768), np.full(900, 65535)])
    assert sentinels([values]) == (-32768, -9999, 65535)
    hot = np.append(values[values < 60000], 1e6)
    assert sentinels([hot]) == (-32768, -9999)  # one hot pixel hides none of them


def spots(bright, share):
    noise = np.random.default_rng(0).normal(100, 8, (SIDE, SIDE))
    count = int(share * SIDE * SIDE)
    rows, columns = np.unravel_index(np.random.default_rng(1).permutation(SIDE * SIDE)[:count], (SIDE, SIDE))
    noise[rows, columns] = np.resize(bright, count)
    return noise.round()


MEASURED = {
    "few saturated spots": spots([65535], 0.01),
    "spots of one brightness": spots([4095], 0.1),
    "spots of many": spots(np.arange(2000, 60000, 7), 0.05),
    "spots on nothing": np.where(spots([1], 0.03) == 1, 50000 + 9000 * HILL, 0),
    "a mask": EDGE * 1.0,
    "a mask of 16 bits": EDGE * 65535.0,
    "classes and a void": np.where(EDGE, 255, (x // 20).astype(float)),
    "vegetation of the whole range": np.where(EDGE, -2, 2 * HILL - 1),
    "a hill down to zero": 3000 * HILL.round(3),
    "one value": np.full((SIDE, SIDE), 7.0),
    "nothing": np.empty(0),
    "dark objects on white": np.where(HILL > 0.6, 9000 + 3000 * HILL.round(2), 65535),
}


@pytest.mark.parametrize("name", MEASURED)
def test_what_was_measured_is_not_taken_for_no_data(name):
    assert sentinels([MEASURED[name].ravel()] * 3) == ()


def test_a_declared_value_counts_for_its_own_file_only(tmp_path):
    around_zero = np.float32(100 * HILL - 50)
    around_zero[0, :9] = 0
    pixels, files = shown_by_folder(tmp_path / "own", [tiff(around_zero), tiff(filled(around_zero, -9999), "-9999")])
    assert 100 < pixels[0, 0] < 155
    assert files.decoding.no_data == {"floats": ()}


@pytest.mark.parametrize(
    ("declared", "held"), [("3.40282e+38", 3.4028234663852886e38), ("-3.4e+38", -3.4e38), ("9.969e+36", 9.96921e36)]
)
def test_a_value_declared_in_few_digits_is_found(tmp_path, declared, held):
    pixels, _ = shown_by_folder(tmp_path / "own", [tiff(filled(200 + 300 * HILL, held), declared)] * 2)
    assert (pixels[EDGE] == 0).all() and pixels[~EDGE].max() > 215


def test_a_declared_value_hides_none_that_gives_itself_away(tmp_path):
    pixels, files = shown_by_folder(tmp_path / "own", [tiff(filled(200 + 300 * HILL, 65535), "-9999")] * 2)
    assert "65,535" in " ".join(files.remarks) and (pixels[EDGE] == 0).all()


def test_in_pictures_of_ink_zero_is_white_and_a_declared_value_black(tmp_path):
    page = filled(9000 + 1500 * HILL, 0, np.uint16)
    pixels, files = shown_by_folder(tmp_path / "page", [tiff(page, ink=True)] * 2)
    assert (pixels[EDGE] == 255).all() and "no data" not in " ".join(files.remarks)
    pixels, _ = shown_by_folder(tmp_path / "declared", [tiff(page, "0", ink=True)] * 2)
    assert (pixels[EDGE] == 0).all()
    light = [tiff(filled(9000 + 1500 * HILL, 0, np.uint16))] * 3
    pixels, files = shown_by_folder(tmp_path / "mixed", [tiff(page, ink=True), *light])
    assert (pixels[EDGE] == 255).all() and (np.asarray(files.open(1))[..., 0][EDGE] == 0).all()


def test_a_picture_that_is_white_all_over_stays_white_beside_others_with_gaps(tmp_path):
    frame = np.full((SIDE, SIDE), 65535, np.uint16)
    thermal = filled(29000 + 1500 * HILL, 65535, np.uint16)
    pixels, files = shown_by_folder(tmp_path / "own", [tiff(frame), *[tiff(thermal)] * 5])
    assert (pixels == 255).all() and (np.asarray(files.open(1))[..., 0][EDGE] == 0).all()
    items = Arrays([frame.astype(int), *[thermal.astype(int)] * 5])
    assert np.asarray(Image.open(io.BytesIO(items.content(0, SIDE).data))).min() > 250
    pixels, _ = shown_by_folder(tmp_path / "declared", [tiff(frame, "65535"), tiff(thermal, "65535")])
    assert (pixels == 0).all()


@pytest.mark.parametrize("text", ["", "nan", "none", "-inf", "1,5"])
def test_a_tag_without_a_number_declares_nothing(text):
    data = tiff(np.float32(HILL), text)
    assert "no_data" not in decoding_of([data]).told()


def test_a_picture_without_any_data_is_black_beside_others(tmp_path):
    empty = tiff(np.full((SIDE, SIDE), -9999, np.float32), "-9999")
    pixels, _ = shown_by_folder(tmp_path / "own", [empty, tiff(filled(300 * HILL, -9999), "-9999")])
    assert (pixels == 0).all()


def test_a_decoding_of_an_earlier_version_reads_as_it_did():
    data, before = tiff(filled(200 + 300 * HILL, 9e9), "9e9"), Decoding(floats=(200, 500))
    assert (np.asarray(before.picture(io.BytesIO(data)))[..., 0][EDGE] == 255).all()
    assert before.completed({"floats": []}) == before


def test_a_folder_embedded_before_no_data_was_known_is_told_how_to_be_embedded_anew(tmp_path):
    _, files = shown_by_folder(tmp_path / "my dem", [tiff(filled(200 + 300 * HILL, -9999))] * 2)
    assert files.flat == ""
    before, root = Decoding(floats=(-10000, 500)), tmp_path / "my dem"
    said = open_folder(root, decoding=before).flat
    assert said in open_folder(root, decoding=before).remarks
    assert "-9,999 was known to mean no data" in said
    assert f"embed_folder({str(root)!r}, name='my dem-2')" in said and "pool=" in said
    with told_by(by_command):
        assert f"`elsa-nb embed '{root}' --name 'my dem-2'`" in open_folder(root, decoding=before).flat
    assert open_folder(root, decoding=files.decoding).flat == ""


@pytest.mark.parametrize("declared", [None, "-9999"])
def test_every_door_says_what_is_taken_for_no_data(tmp_path, capsys, declared):
    data = [tiff(filled(200 + 300 * HILL, -9999), declared)] * 2
    paths = [tmp_path / f"{i}.tif" for i in range(2)]
    for path, each in zip(paths, data, strict=True):
        path.write_bytes(each)
    for items in (Pictures(data), Paths(paths), Files(tmp_path, [path.name for path in paths])):
        for row in (0, 1):
            items.content(row, SIDE)
        assert capsys.readouterr().out == (
            "Of the values in these pictures, -9,999 is taken for no data and shown in black.\n"
        )


@pytest.mark.parametrize(("step", "warned"), [(0.0, False), (1.0, True)])
def test_pictures_that_use_few_greys_are_said_to(tmp_path, step, warned):
    values = 300 * HILL + step * 1e5 * (y > 90) * np.linspace(0, 1, SIDE)  # no one value, but far off
    _, files = shown_by_folder(tmp_path / "own", [tiff(np.float32(values))] * 3)
    assert ("use few of the 256 greys" in " ".join(files.remarks)) == warned


def test_black_pictures_are_not_said_to_be_masks(tmp_path):
    _, files = shown_by_folder(tmp_path / "own", [tiff(np.zeros((SIDE, SIDE), np.uint8))] * 2)
    assert files.remarks == () and files.decoding == Decoding()


@pytest.mark.parametrize("pixels", [EDGE, EDGE.astype(np.uint8), np.full((SIDE, SIDE), 300, np.uint16)])
def test_masks_and_flat_pictures_are_read_without_a_word_about_no_data(tmp_path, pixels):
    _, files = shown_by_folder(tmp_path / "own", [tiff(pixels)] * 2)
    assert "no data" not in " ".join(files.remarks) and "few of" not in " ".join(files.remarks)
