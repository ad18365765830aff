"""What is shown: nothing from outside the folder, nothing oversized, and a reason where there is nothing to show."""

import io
import os
import zlib

import numpy as np
import pytest
from PIL import Image

from elsa_nb.images.sources.files import open_folder
from elsa_nb.label.items import Arrays, Content, Files, Pictures, Texts, content_of
from elsa_nb.label.widget import CARD_SIDES, LARGE
from elsa_nb.pictures.opening import LARGEST_FILE
from elsa_nb.pool import Pool


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "in"
    (inside / "sub").mkdir(parents=True)
    Image.new("RGB", (640, 480), "red").save(inside / "sub" / "a.jpg")
    Image.new("RGB", (64, 48), "blue").save(tmp_path / "secret.png")
    return inside


def content(folder, name, side=100):
    return Files(folder, [name]).content(0, side)


def test_a_picture_is_scaled_down_and_keeps_its_shape(folder):
    shown = content(folder, "sub/a.jpg")
    with Image.open(io.BytesIO(shown.data)) as image:
        assert (image.size, shown.mime) == ((100, 75), "image/jpeg")


@pytest.mark.parametrize("name", ["../secret.png", "sub/../../secret.png", "/etc/hostname", "", "a\0.png"])
def test_names_that_lead_out_are_refused(folder, name):
    shown = content(folder, name)
    assert (shown.kind, shown.data) == ("missing", b"")
    assert "refused" in shown.text or "not a plain file" in shown.text


def test_links_show_pictures_wherever_they_lead_and_nothing_else(folder):
    (folder.parent / "secret.txt").write_text("password")
    (folder / "out.png").symlink_to(folder.parent / "secret.png")
    (folder / "outside").symlink_to(folder.parent)
    (folder / "in.jpg").symlink_to(folder / "sub" / "a.jpg")
    (folder / "key.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "key.png").symlink_to(folder.parent / "secret.txt")
    for name in ("out.png", "outside/secret.png", "in.jpg"):
        assert content(folder, name).kind == "image"
    for name in ("key.txt", "outside/secret.txt", "key.png"):
        assert content(folder, name).kind == "missing"
        assert "password" not in content(folder, name).text


def test_a_folder_swapped_for_a_link_at_the_last_moment_is_not_followed(folder, monkeypatch):
    (folder / "sub2").symlink_to(folder.parent)
    files = Files(folder, ["sub2/secret.png"])
    monkeypatch.setattr(os.path, "realpath", str)  # the check saw a plain folder
    assert files.content(0, 100).kind == "missing"


def test_a_pipe_does_not_hold_the_panel_up(folder):
    os.mkfifo(folder / "pipe.png")
    assert content(folder, "pipe.png").kind == "missing"


def test_oversize_files_and_images_are_refused_unread(folder, monkeypatch):
    with (folder / "huge.png").open("wb") as stream:
        stream.truncate(LARGEST_FILE + 1)
    assert "too large" in content(folder, "huge.png").text
    bomb = png_header(60_000, 60_000)
    (folder / "bomb.png").write_bytes(bomb)
    assert "too large" in content(folder, "bomb.png").text


def png_header(width, height):
    head = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    chunks = len(head[4:]).to_bytes(4) + head + zlib.crc32(head).to_bytes(4)
    return b"\x89PNG\r\n\x1a\n" + chunks + b"\0\0\0\0IDAT" + zlib.crc32(b"IDAT").to_bytes(4)


def test_a_missing_and_a_corrupt_image_say_why(folder):
    assert "not there" in content(folder, "gone.png").text
    (folder / "text.png").write_bytes(b"<script>alert(1)</script>")
    whole = (folder / "sub" / "a.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    for name in ("text.png", "cut.jpg"):
        shown = content(folder, name)
        assert (shown.kind, shown.data) == ("missing", b"")
        assert "no readable image" in shown.text


def test_random_damage_never_raises(folder):
    rng = np.random.default_rng(0)
    whole = np.frombuffer((folder / "sub" / "a.jpg").read_bytes(), np.uint8)
    for _ in range(200):
        broken = whole.copy()
        broken[rng.integers(len(whole), size=10)] = rng.integers(256, size=10)
        assert Pictures([broken.tobytes()]).content(0, 50).kind in ("image", "missing")


def test_texts_and_sounds(folder):
    (folder / "a.txt").write_text("<b>bold</b>" * 1000)
    (folder / "a.wav").write_bytes(b"RIFF")
    assert content(folder, "a.txt").text.startswith("<b>bold</b>")
    assert content(folder, "a.wav").kind == "audio"
    assert Texts(["one", "two"]).content(1, 100).text == "two"


def test_an_array_without_any_number_has_nothing_to_show():
    arrays = np.stack([np.full((4, 4), np.nan), np.full((4, 4), np.nan), np.eye(4)])
    arrays[0, 0, 0] = 1
    shown = [content_of(Arrays(arrays), row, 8) for row in range(3)]
    assert [each.kind for each in shown] == ["image", "missing", "image"]
    assert "nothing to show: no pixel is a number" in shown[1].text


@pytest.mark.parametrize("items", [Texts, Pictures, lambda _, ids: Arrays(np.zeros((2, 4, 4)), ids)])
def test_ids_are_one_an_item(items):
    """With fewer, items went unseen: nobody asks for a row that has no name."""
    with pytest.raises(ValueError, match="1 ids for 2 items; give one per item"):
        items(["a", "b"], ["x"])
    assert list(items(["a", "b"], ["x", "y"]).ids) == ["x", "y"]
    assert list(items(["a", "b"], []).ids) == ["0", "1"]


def test_a_long_text_ends_in_dots_on_the_card_and_is_whole_in_the_larger_view(folder):
    text = "many words " * 2000 + "the end"
    (folder / "a.txt").write_text(text)
    for items in (Texts([text]), Files(folder, ["a.txt"])):
        card = items.content(0, CARD_SIDES[0]).text
        assert len(card) < 1100
        assert card.endswith(("words ...", "many ..."))
        assert items.content(0, LARGE).text == text


def test_what_fails_in_anybodys_items_is_a_card_with_the_reason():
    class Items:
        ids = ("a",)

        def content(self, row, side):
            raise RuntimeError("the disk is on fire")

    assert content_of(Items(), 0, 100) == Content("missing", text="cannot be shown (RuntimeError: the disk is on fire)")


def test_the_card_of_a_pools_file_is_the_picture_that_was_embedded(tmp_path):
    y, x = np.mgrid[:40, :60]
    for i, bright in enumerate((1, 3)):
        Image.fromarray((200 + bright * 10 * x + y).astype(np.uint16)).save(tmp_path / f"{i}.tif")
    files = open_folder(tmp_path)
    pool = Pool.from_arrays(np.eye(2, dtype=np.float32), files.ids, provenance={"decoding": files.decoding.told()})
    for row in range(2):
        with Image.open(io.BytesIO(Files(tmp_path, pool).content(row, 224).data)) as card:
            assert (np.asarray(card) == np.asarray(files.open(row))).all()
    told = {"decoding": {"integers": [0, 100_000]}}
    other = Files(tmp_path, Pool.from_arrays(np.eye(2, dtype=np.float32), files.ids, provenance=told))
    with Image.open(io.BytesIO(other.content(0, 224).data)) as card:
        assert np.asarray(card).max() < 5  # what the pool says is done, whatever the files say
    alone = Files(tmp_path, files.ids)  # without a pool the range is found from the files
    with Image.open(io.BytesIO(alone.content(1, 224).data)) as card:
        assert np.asarray(card).max() > 240


def test_items_tell_what_is_behind_a_name_from_other_things_of_that_name(tmp_path):
    for folder, value in (("p1", 10), ("p2", 200)):
        (tmp_path / folder).mkdir()
        Image.new("L", (9, 9), value).save(tmp_path / folder / "a.png")
    one, other = (Files(tmp_path / folder, ["a.png", "gone.png"]) for folder in ("p1", "p2"))
    assert one.digest(0) == Files(tmp_path / "p1", ["a.png"]).digest(0)
    assert one.digest(0) != other.digest(0)
    assert one.digest(1) is None
    pictures = np.zeros((2, 4, 4), np.uint8)
    pictures[1] = 9
    assert Arrays(pictures).digest(0) != Arrays(pictures).digest(1)
    assert Texts(["a", "b"]).digest(0) != Texts(["a", "b"]).digest(1)


def test_a_notebook_shows_items_in_a_line(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    assert repr(Files(tmp_path, ["a.txt"])) == f"<Files: 1 in {tmp_path}>"
    assert repr(Texts(["a", "b"])) == "<Texts: 2>"
    assert repr(Pictures([Image.new("L", (4, 4))])) == "<Pictures: 1>"
    assert repr(Arrays(np.zeros((3, 4, 4)))) == "<Arrays: 3>"
    assert repr(Arrays(lambda rows: np.zeros((len(rows), 4, 4)))) == "<Arrays: those of the pool's rows>"
