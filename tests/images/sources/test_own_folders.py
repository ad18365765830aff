"""Folders of one's own files: every kind that Pillow opens, links, names of old disks, and what is left out and why."""

import csv
import os
import pickle

import numpy as np
import photographs
import pytest
from PIL import Image

from elsa_nb.errors import MissingDataError
from elsa_nb.images.sources import left_out
from elsa_nb.images.sources.decoding import BrokenImageError, decode, open_picture
from elsa_nb.images.sources.files import ImageFiles, open_folder
from elsa_nb.images.sources.left_out import LeftOut
from elsa_nb.pictures.decoding import Decoding
from elsa_nb.pictures.kinds import FILE_KINDS
from elsa_nb.pictures.opening import open_inside

SCENE = photographs.scene()
JPEG = photographs.encoded(SCENE)


def deep(bright):
    y, x = np.mgrid[:30, :40]
    return Image.fromarray((100 + bright * (x + y)).astype(np.uint16))


def test_what_is_left_out_is_counted_by_ending_and_by_reason(tmp_path):
    for name in ("a.jpg", "b/c.AVIF", "b/d.jp2"):
        photographs.write(tmp_path / name, JPEG)
    for name in ("notes.txt", "g", ".hidden.txt", "h.xmp", "i.XMP"):
        photographs.write(tmp_path / name, b"words")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "round.jpg").symlink_to(tmp_path / "round.jpg")
    (tmp_path / "disk").symlink_to(tmp_path / "not mounted" / "pictures")  # as a folder of thousands may be
    os.mkfifo(tmp_path / "pipe.jpg")
    files = open_folder(tmp_path)
    assert files.ids.tolist() == ["a.jpg", "b/c.AVIF", "b/d.jp2"]
    assert left_out.by_ending(files.left_out) == {".xmp": 2, ".txt": 1, "": 1}
    assert left_out.by_reason(files.left_out) == {left_out.ENDING: 4, left_out.LINK: 4}
    said = " ".join(files.remarks)
    assert "Left out for their ending: 2 .xmp, 1 without an ending, 1 .txt. `left-out.csv`, beside the vectors," in said
    told = left_out.write_list(tmp_path / "out" / "left-out.csv", files.left_out).read_text().splitlines()
    assert told[0] == "path,reason"
    assert f'gone.jpg,"{left_out.LINK}"' in told
    assert f'disk,"{left_out.LINK}"' in told
    assert len(told) == 9
    assert left_out.count_listed(tmp_path / "out" / "left-out.csv") == 8
    assert left_out.count_listed(tmp_path / "nowhere.csv") == 0


ODD = {
    "p.CR2": b"II*\0\x10\0\0\0CR\x02\0" + bytes(99),
    "p.nef": photographs.encoded(SCENE, "TIFF"),
    "p.jxl": b"\xff\x0a" + bytes(99),
    "p.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99),
    "p.svg": b"<svg/>",
    "p.eps": b"%!PS-Adobe-3.0",
    "p.dcm": bytes(128) + b"DICM",
    "p.zip": b"PK\x03\x04",
    "p.docx": b"PK\x03\x04",
    "no_extension": JPEG,
    "jpg_called_txt.txt": JPEG,
    "png.HEIC": photographs.encoded(SCENE, "PNG"),
    "cut": JPEG[:30],
}


def test_pictures_that_are_left_out_are_told_first_each_kind_with_its_cure(tmp_path):
    for name, data in ODD.items():
        photographs.write(tmp_path / name, data)
    photographs.write(tmp_path / "large.btf", photographs.encoded(SCENE, "TIFF", big_tiff=True))
    files = open_folder(tmp_path)
    assert files.ids.tolist() == ["large.btf"]
    assert files.open(0).size == (40, 30)
    said = files.remarks
    assert said[0] == "Left out: 2 JPEGs whose names do not say so, such as jpg_called_txt.txt; end the name in .jpg."
    assert said[1] == "Left out: 1 PNG whose name does not say so: png.HEIC; end the name in .png."
    assert said[2] == "Left out: 2 raw pictures of cameras, such as p.CR2; export as TIFF or JPEG."
    assert said[-3:-1] == (
        "Left out: 1 archive: p.zip; unpack.",
        "Left out for their ending: 1 without an ending, 1 .docx.",
    )
    assert "left-out.csv" in said[-1]
    for cure in ("p.jxl; save as", "p.heic; `pip install", "p.svg; export as PNG", "p.eps; export", "p.dcm; export"):
        assert any(cure in each for each in said)
    reasons = {each.path: each.reason for each in files.left_out}
    assert reasons["no_extension"] == "a JPEG by its content, and not by its name; end the name in .jpg"
    assert reasons["p.docx"] == reasons["cut"] == left_out.ENDING


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF", "JPEG2000"])
def test_what_a_reason_tells_to_do_makes_the_picture_read(tmp_path, form):
    photographs.write(tmp_path / "a.jpg", JPEG)
    photographs.write(tmp_path / "b.dat", photographs.encoded(SCENE, form))
    (left,) = open_folder(tmp_path).left_out
    ending = left.reason.rpartition("end the name in ")[2]
    (tmp_path / "b.dat").rename(tmp_path / f"b{ending}")
    files = open_folder(tmp_path)
    assert len(files) == 2
    assert not files.left_out
    assert files.open(1).size == SCENE.size


def test_what_may_not_be_looked_at_is_left_out_all_the_same(tmp_path):
    photographs.write(tmp_path / "a.jpg", JPEG)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.jxl")
    reasons = {each.path: each.reason for each in open_folder(tmp_path).left_out}
    assert reasons == {"gone": left_out.LINK, "pipe.jxl": "a JPEG XL picture; save as PNG or JPEG"}


def test_a_list_of_what_is_left_out_computes_nothing_in_a_spreadsheet(tmp_path):
    names = ['=HYPERLINK("x").txt', "+1.txt", "-2.txt", "@SUM(A1).txt", "\ttab.txt", "'=mine.txt", "plain.txt"]
    file = left_out.write_list(tmp_path / "left-out.csv", [LeftOut(name, "-broken") for name in names])
    with file.open(newline="", encoding="utf-8") as lines:
        cells = [cell for line in csv.reader(lines) for cell in line]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t"))]
    assert left_out.names_listed(file) == names


def test_hidden_pictures_and_the_folders_of_storages_are_left_out_with_a_word(tmp_path):
    odd = (".a.jpg", "._a.jpg", "@eaDir/a.jpg/THUMB.jpg", "$RECYCLE.BIN/b.jpg", "__MACOSX/._a.jpg", ".git/c.jpg")
    for name in ("a.jpg", *odd):
        photographs.write(tmp_path / name, JPEG)
    files = open_folder(tmp_path)
    assert files.ids.tolist() == ["a.jpg"]
    assert left_out.by_reason(files.left_out) == {
        left_out.OF_STORAGE: 2,
        left_out.BYPRODUCT: 2,
        left_out.HIDDEN: 1,
        left_out.IN_HIDDEN: 1,
    }
    said = " ".join(files.remarks)
    assert "Left out: 1 picture hidden by a dot before its name: .a.jpg." in said
    assert "Left out: 2 files or folders that a Mac or an archive program added, such as ._a.jpg." in said


@pytest.mark.parametrize("count", [1, 2])
def test_one_of_a_kind_is_said_as_one(count):
    reasons = [left_out.LINK, left_out.FOLDER, left_out.HIDDEN, left_out.IN_HIDDEN, left_out.OF_STORAGE]
    reasons += [left_out.BYPRODUCT]
    reasons += [kind.told for kind in FILE_KINDS]
    said = left_out.sentences([LeftOut(f"{i}.x", reason) for reason in reasons for i in range(count)])
    assert len(said) == len(reasons)
    assert all(each.startswith(f"Left out: {count} ") and (" 0.x" if count == 2 else ": 0.x") in each for each in said)
    endings = [LeftOut(f"a.{i}", left_out.ENDING) for i in range(6 + count)]
    assert f"and {count} other ending{'s' * (count - 1)}." in left_out.sentences(endings)[0]


def test_pictures_in_hidden_folders_are_left_out_with_their_number(tmp_path):
    for name in ("a.jpg", ".old/b.jpg", ".old/deep/c.JPG", ".old/.d.jpg", ".old/.older/e.jpg", ".old/notes.txt"):
        photographs.write(tmp_path / name, JPEG)
    (tmp_path / ".old" / "up").symlink_to(tmp_path)
    files = open_folder(tmp_path)
    assert files.ids.tolist() == ["a.jpg"]
    assert left_out.by_reason(files.left_out) == {left_out.IN_HIDDEN: 4}
    assert "Left out: 4 pictures in folders hidden by dots before their names, such as .old/b.jpg." in " ".join(
        files.remarks
    )


def test_masks_in_a_folder_are_shown_and_said(tmp_path):
    mask = np.zeros((40, 30), np.uint8)
    mask[10:20] = 1
    for name in "ab":
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
    files = open_folder(tmp_path)
    assert "Grey pictures of 8 bits, with values 0 and 1 only: 2; 1 is white in them." in files.remarks
    assert (np.asarray(files.open(0))[..., 0] == 255 * mask).all()


def test_a_folder_without_pictures_says_what_is_there_and_the_way_round(tmp_path):
    for i in range(3):
        photographs.write(tmp_path / f"{i}.dcm", b"DICM")
    with pytest.raises(
        MissingDataError,
        match=r"no images in .* 3 DICOM files, .* `elsa-nb pool make VECTORS .* `Pool\.from_arrays`",
    ):
        open_folder(tmp_path)


def test_a_folder_of_links_is_a_folder(tmp_path):
    photographs.write(tmp_path / "store" / "ab12", JPEG)
    photographs.write(tmp_path / "store" / "deep" / "1.jpg", JPEG)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cat.jpg").symlink_to(tmp_path / "store" / "ab12")
    (tmp_path / "mine" / "more").symlink_to(tmp_path / "store" / "deep")
    files = open_folder(tmp_path / "mine")
    assert files.ids.tolist() == ["cat.jpg", "more/1.jpg"]
    assert (np.asarray(files.open(0)) == decode(JPEG)).all()


def test_names_that_are_not_utf_8_are_carried_with_escapes(tmp_path):
    for name in (b"caf\xe9.jpg", "café.jpg".encode(), b"\xfcber/1.jpg"):
        photographs.write(tmp_path / os.fsdecode(name), JPEG)
    files = open_folder(tmp_path)
    assert sorted(files.ids) == sorted(["café.jpg", r"caf\xe9.jpg", r"\xfcber/1.jpg"])
    assert files.classes == (r"\xfcber",)
    assert len(files.sha256) == 64
    for row in range(3):
        assert open_picture(files, row).size == (40, 30)
    assert any(r"not UTF-8, or look like it, written with escapes: 2, such as " in each for each in files.remarks)
    other = photographs.encoded(photographs.scene(9, 20, 10))
    photographs.write(tmp_path / r"caf\xe9.jpg", other)  # a name that looks like the id of another file
    files = open_folder(tmp_path)
    assert len(files) == len(set(files.ids)) == 4
    assert not files.left_out
    for item, size in {r"caf\xe9.jpg": (40, 30), r"caf\x5cxe9.jpg": (20, 10)}.items():
        assert open_picture(files, files.ids.tolist().index(item)).size == size
        with open_inside(tmp_path.resolve(), item, through_links=False) as stream:  # what a card shows
            assert Image.open(stream).size == size


def test_deep_grey_of_a_folder_has_one_range_that_is_said_and_can_be_kept(tmp_path):
    for i in range(6):
        deep(1 + 9 * i).save(tmp_path / f"{i}.tif")
    files = open_folder(tmp_path)
    low, high = files.decoding.integers
    assert f"Grey pictures of more than 8 bits: 6; {low:,.0f} is black and {high:,.0f} is white" in files.remarks[0]
    levels = [np.asarray(files.open(row)).max() for row in range(6)]
    assert levels == sorted(levels)
    assert levels[0] < 20
    assert levels[5] > 240
    deep(500).save(tmp_path / "9.tif")
    Image.fromarray(np.eye(9, dtype=np.float32)).save(tmp_path / "float.tif")
    assert open_folder(tmp_path).decoding.integers != files.decoding.integers
    grown = open_folder(tmp_path, decoding=files.decoding)
    assert grown.decoding == Decoding(files.decoding.integers, (0, 1))  # only what was not known is found
    assert (np.asarray(grown.open(5)) == np.asarray(files.open(5))).all()
    assert pickle.loads(pickle.dumps(files)).decoding == files.decoding  # workers get a copy


def test_pictures_of_32_bits_take_no_part_in_the_range_of_others_nor_after_an_earlier_version(tmp_path):
    for i in range(3):
        deep(60).save(tmp_path / f"{i}.tif")
    alone = open_folder(tmp_path)
    long = Image.fromarray((np.asarray(deep(60)) * 9000.0).astype(np.int32))
    long.save(tmp_path / "long.tif")
    before = Decoding(integers=(0.0, 3e7))  # of all whole numbers, as it was found
    for files in (open_folder(tmp_path), open_folder(tmp_path, decoding=before)):
        assert files.decoding.integers == alone.decoding.integers
        assert [np.asarray(files.open(row)).max() > 240 for row in range(4)] == [True] * 4
        assert "Grey pictures of 32 bits: 1; 1,500,000 is black and 37,000,000 is white" in " ".join(files.remarks)
    for i in range(3):
        (tmp_path / f"{i}.tif").unlink()
    assert open_folder(tmp_path, decoding=before).decoding == before  # of one kind: its pools stay


def test_pages_are_said_once_with_a_count(tmp_path):
    for name in ("a", "b"):
        SCENE.save(tmp_path / f"{name}.tif", save_all=True, append_images=[SCENE, SCENE])
    SCENE.save(tmp_path / "c.tif")
    assert "Files with more than one page: 2; the first page of each is used." in open_folder(tmp_path).remarks


def test_own_pictures_stand_upright_and_published_ones_lie_as_they_were_read_for_training(tmp_path):
    photographs.write(tmp_path / "a.jpg", photographs.rotated_by_exif(SCENE))
    own = open_folder(tmp_path)
    published = ImageFiles.of("published", tmp_path, ["a.jpg"], [-1], ())
    assert open_picture(own, 0).size == (30, 40)
    assert (np.asarray(open_picture(published, 0)) == decode(published.read(0))).all()
    assert open_picture(published, 0).size == (40, 30)
    assert own.sha256 != published.sha256
    assert own.decoding == Decoding()
    assert own.decoding.told()["orientation"] == "EXIF"


def test_a_broken_picture_has_its_id_and_its_reason_as_data_also_from_a_worker(tmp_path):
    photographs.write(tmp_path / "cut.jpg", JPEG[: len(JPEG) * 2 // 3])
    files = open_folder(tmp_path)
    with pytest.raises(
        BrokenImageError, match=r"The image cut\.jpg is broken \(cut off: .*; copy it again\)\.$"
    ) as caught:
        files.open(0)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.item == "cut.jpg"
    assert again.reason.startswith("cut off: ")
    assert str(again) == str(caught.value)
    (tmp_path / "cut.jpg").unlink()
    with pytest.raises(MissingDataError, match="is not here any more"):
        files.open(0)


@pytest.mark.parametrize(
    ("own", "odd", "flat"),
    [
        ((0, 4000), (0, 4_000_000), 5),  # counts of 16 bits beside sums of 32
        ((0, 4000), (0, 60_000), 0),  # 12 and 16 bits: dark, and seen
        ((500, 500), (0, 60_000), 0),  # one grey by themselves: nothing is lost
        ((0.0, 1.0), (0.0, 1e6), 5),  # another unit
        ((30_000, 30_200), (0, 60_000), 5),
        ((1000, 3000), (0, 60_000), 5),  # eight levels above black: to the eye a black card
    ],
)
def test_pictures_that_one_range_makes_flat_are_counted_and_told_from_flat_ones(tmp_path, own, odd, flat):
    kind = np.float32 if isinstance(own[0], float) else np.int32
    for i, (low, high) in enumerate([own] * 5 + [odd] * 5):
        Image.fromarray(np.linspace(low, high, 900).reshape(30, 30).astype(kind)).save(tmp_path / f"{i}.tif")
    opened = open_folder(tmp_path)
    again = open_folder(tmp_path, decoding=opened.decoding)  # as an earlier pool of the folder was read
    for (remark,) in (opened.remarks, again.remarks):
        assert (f"Of 10 looked at, {flat} are one flat grey" in remark) == (flat > 0)
        assert ("flat" in remark) == (flat > 0)
        assert ("by that (0.tif, 1.tif, 2.tif, ...), since" in remark) == (flat > 0)
    assert opened.lasting == again.lasting == (opened.remarks if flat else ())
