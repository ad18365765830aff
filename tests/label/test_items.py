"""What is shown: nothing from outside the folder, nothing oversized, and a reason where there is nothing to show."""

import io
import os
import zlib

import numpy as np
import pytest
from PIL import Image

from elsa_nb.label import items
from elsa_nb.label.items import Arrays, Files, Texts, as_items


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
    assert "refused" in shown.text or "no plain file" in shown.text


def test_links_that_lead_out_are_refused_and_those_inside_are_not(folder):
    (folder / "out.png").symlink_to(folder.parent / "secret.png")
    (folder / "outside").symlink_to(folder.parent)
    (folder / "in.jpg").symlink_to(folder / "sub" / "a.jpg")
    assert "link" in content(folder, "out.png").text
    assert "link" in content(folder, "outside/secret.png").text
    assert content(folder, "in.jpg").kind == "image"


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
        stream.truncate(items.LARGEST_FILE + 1)
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
        assert items.scaled_picture(broken.tobytes(), 50).kind in ("image", "missing")


def test_texts_and_sounds(folder):
    (folder / "a.txt").write_text("<b>bold</b>" * 1000)
    (folder / "a.wav").write_bytes(b"RIFF")
    assert content(folder, "a.txt").text.startswith("<b>bold</b>")
    assert len(content(folder, "a.txt").text) == 4000
    assert content(folder, "a.wav").kind == "audio"
    assert Texts(["one", "two"]).content(1, 100).text == "two"


def test_arrays_and_what_looks_like_them():
    array = np.zeros((3, 32, 32), np.uint8)
    for given in (array, Arrays(array, invert=True)):
        shown = as_items(given).content(2, 100)
        with Image.open(io.BytesIO(shown.data)) as image:
            assert image.size == (32, 32)
            assert image.getpixel((0, 0)) == (255 if given is not array else 0)
    assert as_items(["a text", "another"]).content(0, 9).text == "a text"
    with pytest.raises(ValueError, match=r"label\.Files"):
        as_items(7)
