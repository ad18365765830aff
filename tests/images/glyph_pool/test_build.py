"""The builder of the glyph pool: drawing, selecting and writing give the same bytes, and only what they should."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from elsa_nb import store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.glyph_pool import build, confusables, fonts
from elsa_nb.images.glyph_pool.rendering import Rendering, render
from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.images.sources.grey_images import digests, pack, unpack

matplotlib = pytest.importorskip("matplotlib")
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FACES = [
    fonts.Face("dejavu", name, FONTS / f"{name}.ttf")
    for name in ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Italic")
]
PACKAGE = fonts.Package("dejavu", "1")
CLASSES = [
    {"character": "A", "class": "A", "name": "LATIN CAPITAL LETTER A"},
    {"character": "\u0391", "class": "A", "name": "LATIN CAPITAL LETTER A"},
    {"character": "g", "class": "g", "name": "LATIN SMALL LETTER G"},
]


@pytest.fixture
def small_classes(monkeypatch):
    monkeypatch.setattr(build, "MIN_CLASS", 2)


def built_pool(folder: Path) -> dict:
    drawn = render(FACES, [ord(row["character"]) for row in CLASSES], workers=1)
    return build.write_pool(folder, drawn, CLASSES, None, {PACKAGE: "Bitstream-Vera"}, "a test")


def test_two_builds_give_the_same_files(tmp_path, small_classes):
    assert built_pool(tmp_path / "one") == built_pool(tmp_path / "two")
    for name in ("images.bin", "labels.parquet", "fonts.csv", "manifest.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_faces_that_give_no_image_leave_no_trace(tmp_path, small_classes):
    built_pool(tmp_path / "one")
    idle = fonts.Face("another", "Idle", FACES[0].path)
    drawn = render(FACES, [ord(row["character"]) for row in CLASSES], workers=1)
    drawn = Rendering(drawn.packed, drawn.codes, drawn.face + 1, (idle, *drawn.faces))
    build.write_pool(tmp_path / "two", drawn, CLASSES, None, {PACKAGE: "Bitstream-Vera"}, "a test")
    assert (tmp_path / "one" / "manifest.json").read_bytes() == (tmp_path / "two" / "manifest.json").read_bytes()


def test_a_built_pool_is_read_back(tmp_path, small_classes):
    manifest = built_pool(tmp_path)
    pool = Glyphs.open(tmp_path)
    drawn = render(FACES, [ord(row["character"]) for row in CLASSES], workers=1)
    kept = {image.tobytes() for image in unpack(drawn.packed) * 17}
    assert len(pool) == manifest["n"] == len({image.tobytes() for image in pool.images()})
    assert {image.tobytes() for image in pool.images()} <= kept
    # Greek and Latin A of a DejaVu face are one drawing, so each face leaves one of them.
    assert pool.labels["name"].value_counts().to_dict() == {"LATIN CAPITAL LETTER A": 5, "LATIN SMALL LETTER G": 5}
    assert set(pool.labels["face"]) == {face.name for face in FACES}


def test_characters_fill_the_box_and_keep_their_proportions():
    images = unpack(render(FACES[:1], [ord("l"), ord("—"), ord("O")], workers=1).packed)
    for image, (height, width) in zip(images, [(28, 28), (28, 3), (2, 28)], strict=True):  # O, l, dash by code point
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert max(len(rows), len(columns)) == 28
        assert len(rows) == pytest.approx(height, abs=3)
        assert len(columns) == pytest.approx(width, abs=3)
        assert abs((rows[0] + rows[-1]) - 31) <= 1
        assert abs((columns[0] + columns[-1]) - 31) <= 1
        assert image.max() == 15


def test_blank_and_absent_characters_are_left_out():
    drawn = render(FACES[:1], [0x20, 0xA0, 0x4E00, ord("A")], workers=1)  # DejaVu has no CJK
    assert drawn.codes.tolist() == [ord("A")]


def test_packing_is_undone():
    levels = np.random.default_rng(0).integers(0, 16, (7, 32, 32), dtype=np.uint8)
    assert (unpack(pack(levels)) == levels).all()
    assert pack(levels).shape == (7, 512)


def rendering_of(images: list[int]) -> Rendering:
    packed = np.zeros((len(images), 512), np.uint8)
    packed[:, 0] = images
    return Rendering(packed, np.arange(len(images), dtype=np.int32), np.zeros(len(images), np.int32), tuple(FACES[:1]))


def test_equal_images_stay_once_and_never_under_two_classes():
    #                     image   1  2  1  3  2  4
    rows = build.distinct(rendering_of([1, 2, 1, 3, 2, 4]), np.array([0, 0, 0, 1, 1, 1]))
    assert rows.tolist() == [0, 3, 5]  # image 2 shows both classes and goes altogether


@pytest.mark.parametrize("total", [1_000, 3_333, 10_000])
def test_class_sizes_spend_the_budget_and_keep_the_smallest(total):
    available = np.array([5_000, 2_000, 900, 400, 61, 60])
    sizes = build.class_sizes(available, total)
    assert (sizes <= available).all()
    assert (sizes >= 60).all()
    assert total - len(available) < sizes.sum() <= total or (sizes == available).all()
    assert (np.diff(sizes) <= 0).all()


def test_the_choice_and_the_order_are_blind_to_the_class():
    images = np.random.default_rng(1).integers(0, 256, (4_000, 512), dtype=np.uint8)
    drawn = Rendering(images, np.zeros(4_000, np.int32), np.arange(4_000, dtype=np.int32), ())
    label = np.repeat([0, 1], [3_000, 1_000])
    rows = build.choose(drawn, label, 2_000)
    assert len(rows) == len(set(rows.tolist())) == 2_000
    half = label[rows[:1_000]].mean() - label[rows[1_000:]].mean()
    assert abs(half) < 0.06
    assert not np.array_equal(digests(images, b"choice"), digests(images, b"order"))


def test_a_face_without_small_letters_is_found():
    capitals = render(FACES[:1], map(ord, confusables.CASED), workers=1)
    both = Rendering(
        np.repeat(capitals.packed, 2, axis=0),
        np.array([code + shift for code in capitals.codes for shift in (0, 32)], np.int32),
        np.zeros(2 * len(capitals), np.int32),
        capitals.faces,
    )
    assert confusables._is_caseless(both, 0)
    honest = render(FACES[:1], [ord(c) for c in confusables.CASED + confusables.CASED.lower()], workers=1)
    assert not confusables._is_caseless(honest, 0)


def test_letters_of_three_scripts_are_drawn_alike_and_joined():
    codes = sorted(ord(c) for c in "A\u0391\u0410gB")
    drawn = render(FACES, codes, workers=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confusables, "MIN_SHARED_FACES", 2)
        share = confusables.drawn_alike(drawn, codes)
    groups = confusables.join_alike(share, np.zeros(share.shape, bool))
    assert sorted("".join(chr(codes[i]) for i in group) for group in groups) == ["A\u0391\u0410", "B", "g"]


def test_confusable_characters_need_half_the_agreement():
    share = np.array([[1, 0.3, 0.3], [0.3, 1, 0.0], [0.3, 0.0, 1]])
    confusable = np.array([[False, True, False], [True, False, False], [False, False, False]])
    assert confusables.join_alike(share, confusable) == [[0, 1], [2]]


def test_unicode_relates_confusables_and_cases(tmp_path):
    path = tmp_path / "confusables.txt"
    path.write_text("\ufeff# comment\n0410 ;\t0041 ;\tMA\t# A\n0031 ;\t006C ;\tMA\n", encoding="utf-8")
    table = confusables.skeletons(path)
    groups = [[ord(c)] for c in "A\u0410al1"]
    plain = confusables.related(groups, table, with_case=False)
    assert np.argwhere(np.triu(plain)).tolist() == [[0, 1], [3, 4]]
    assert np.argwhere(np.triu(confusables.related(groups, table, with_case=True))).tolist() == [[0, 1], [0, 2], [3, 4]]


def test_connected_components_are_numbered():
    linked = np.zeros((5, 5), bool)
    linked[0, 3] = linked[3, 0] = linked[3, 4] = linked[4, 3] = True
    assert confusables.join_connected(linked).tolist() == [0, 1, 2, 0, 0]


def test_class_names_are_those_of_unicode():
    assert confusables.class_name([ord("\u0391"), ord("A")]) == ("A", "LATIN CAPITAL LETTER A")
    assert confusables.class_name([ord("0"), ord("O"), ord("o")]) == ("O", "LATIN LETTER O")


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Format: x\n\nFiles: *\nLicense: OFL-1.1-RFN\n\nFiles: debian/*\nLicense: GPL-3+\n", "OFL-1.1"),
        ("Format: x\n\nFiles: *\nLicense: GPL-2+ with Font exception\n", "GPL-2+ with font exception"),
        ("licensed under the SIL Open Font License, Version 1.0.\n", "OFL-1.0"),
    ],
)
def test_licences_are_read_from_debian_copyright_files(tmp_path, text, short):
    path = tmp_path / "tree" / "dejavu_1" / "usr/share/doc/dejavu/copyright"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    assert fonts.licence(PACKAGE, tmp_path) == short


def test_a_version_no_longer_served_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "_apt_get_download", lambda packages, folder: None)
    with pytest.raises(MissingDataError, match=r"dejavu=1.*bookworm"):
        fonts.fetch([PACKAGE], tmp_path)


def test_a_damaged_package_is_named(tmp_path):
    if shutil.which("dpkg-deb") is None:
        pytest.skip("no dpkg-deb on this machine")
    (tmp_path / "debs").mkdir()
    (tmp_path / "debs" / "dejavu_1_all.deb").write_bytes(b"!<arch>\nhalf")
    with pytest.raises(CorruptFileError, match=r"dejavu_1_all\.deb.*Delete it"):
        fonts.fetch([PACKAGE], tmp_path)


def test_a_machine_without_debian_tools_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"`apt-get` is not on this machine.*bookworm"):
        fonts.fetch([PACKAGE], tmp_path)


def test_another_result_of_the_same_command_is_said_aloud():
    now = {"pixels_sha256": "aa", "made_with": {"pillow": "13.0.0"}}
    assert "same pixels" in build._comparison(now, now)
    other = {"pixels_sha256": "bb", "made_with": {"pillow": "11.0.0"}}
    assert "OTHER PIXELS" in (said := build._comparison(other, now))
    assert "bb" in said
    assert "pillow 11.0.0" in said
    assert "pillow 13.0.0" in said


def test_the_shipped_tables_agree_with_each_other():
    classes = fonts.read_table(build.GLYPH_TABLES / "classes.csv")
    characters = [row["character"] for row in classes]
    assert len(characters) == len(set(characters))
    assert {row["class"] for row in classes} <= set(characters)
    of_a = {row["class"] for row in classes if row["character"] in "A\u0391\u0410"}
    assert of_a == {"A"}
    assert store.read_json(build.GLYPH_TABLES / "manifest.json")["merged"] == build._merged(classes)
    packages = {p.name for p in fonts.read_packages(build.GLYPH_TABLES / "fonts.csv")}
    assert {row["package"] for row in fonts.read_table(build.GLYPH_TABLES / "faces.csv")} <= packages
