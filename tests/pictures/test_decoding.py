"""Picture files of one's own: every kind becomes upright 8-bit colour, by one range for all deep grey of a folder."""

import io
import warnings
import zlib
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from elsa_nb.label.items import Pictures
from elsa_nb.pictures.decoding import (
    Decoding,
    Header,
    UnreadableError,
    decoding_of,
    endings,
    find_decoding,
    formats,
    look,
)

y, x = np.mgrid[:30, :40]
SLOPE = (x / 39 + y / 29) / 2  # 0 at the upper left to 1 at the lower right
GREY = (SLOPE * 255).round().astype(np.uint8)
DEEP = (SLOPE * 3000 + 500).round().astype(np.uint16)


def encoded(image, form, **options):
    stream = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(stream, form, **options)
    return stream.getvalue()


def tiff(pixels, bits, order="<", sample_format=1, photometric=1):
    """Write an uncompressed grey TIFF by hand: what Pillow cannot write, others do."""
    data, code = pixels.tobytes(), "little" if order == "<" else "big"
    entries = [
        (256, 40),
        (257, 30),
        (258, bits),
        (259, 1),
        (262, photometric),
        (273, 8),
        (277, 1),
        (278, 30),
        (279, len(data)),
    ]
    entries.append((339, sample_format))
    parts = [b"II*\0" if order == "<" else b"MM\0*", (8 + len(data)).to_bytes(4, code), data]
    parts.append(len(entries).to_bytes(2, code))
    for tag, value in entries:
        kind = 4 if tag == 279 else 3
        number = value.to_bytes(4, code) if kind == 4 else value.to_bytes(2, code) + b"\0\0"
        parts += [tag.to_bytes(2, code), kind.to_bytes(2, code), (1).to_bytes(4, code), number]
    return b"".join([*parts, bytes(4)])


def twelve_bits(pixels):
    pairs = pixels.reshape(-1, 2).astype(np.uint32)
    bits = pairs[:, 0] << 12 | pairs[:, 1]
    return np.stack([bits >> 16, bits >> 8 & 255, bits & 255], axis=1).astype(np.uint8)


def fits(pixels, bits):
    told = {"SIMPLE": "T", "BITPIX": bits, "NAXIS": 2, "NAXIS1": 40, "NAXIS2": 30}
    lines = [f"{key:<8}= {value:>20}" for key, value in told.items()] + ["END"]
    return "".join(f"{line:<80}" for line in lines).ljust(2880).encode() + pixels[::-1].tobytes()  # from below


def turned(way):
    exif = Image.Exif()
    exif[0x0112] = way
    return exif


INTEGERS = {
    "tiff": encoded(DEEP, "TIFF"),
    "tiff, big-endian": tiff(DEEP.astype(">u2"), 16, ">"),
    "tiff, signed": tiff(DEEP.astype("<i2"), 16, sample_format=2),
    "tiff, large values are ink": tiff((4000 - DEEP).astype("<u2"), 16, photometric=0),
    "tiff, 12 bits": tiff(twelve_bits(DEEP), 12),
    "tiff, 32 bits": encoded(DEEP.astype(np.int32), "TIFF"),
    "png": encoded(DEEP, "PNG"),
    "pgm": b"P5\n40 30\n65535\n" + DEEP.astype(">u2").tobytes(),
    "jpeg 2000": encoded(DEEP, "JPEG2000"),
    "fits": fits(DEEP.astype(">i2"), 16),
}
UNUSUAL = {
    "unsigned, 32 bits": tiff((SLOPE * 4.2e9).astype("<u4"), 32),
    "signed, 32 bits": tiff((SLOPE * 4.2e9 - 2.1e9).astype("<i4"), 32, sample_format=2),
    "signed, 8 bits": tiff((SLOPE * 200 - 100).round().astype("i1"), 8, sample_format=2),
    "large values are ink, 16 bits": tiff(((1 - SLOPE) * 6e4).astype("<u2"), 16, photometric=0),
    "large values are ink, 8 bits": tiff(255 - GREY, 8, photometric=0),
    "large values are ink, floats": tiff((1 - SLOPE).astype("<f4"), 32, "<", 3, 0),
}
FLOATS = {
    "tiff": encoded((SLOPE * 4e-5 - 2e-5).astype(np.float32), "TIFF"),
    "tiff, big-endian": tiff((SLOPE * 4e-5 - 2e-5).astype(">f4"), 32, ">", sample_format=3),
    "fits": fits((SLOPE * 4e-5 - 2e-5).astype(">f4"), -32),
}
SHALLOW = {
    "jpeg": encoded(GREY, "JPEG", quality=95),
    "cmyk": encoded(Image.fromarray(GREY).convert("CMYK"), "JPEG", quality=95),
    "png": encoded(GREY, "PNG"),
    "gif": encoded(GREY, "GIF"),
    "webp": encoded(Image.fromarray(GREY).convert("RGB"), "WEBP", lossless=True),
    "avif": encoded(Image.fromarray(GREY).convert("RGB"), "AVIF", quality=95),
    "bmp": encoded(GREY, "BMP"),
    "tga": encoded(GREY, "TGA"),
    "qoi": encoded(Image.fromarray(GREY).convert("RGB"), "QOI"),
}


def read(data, decoding=None, side=None):
    return np.asarray((decoding or Decoding()).picture(io.BytesIO(data), side))


@pytest.mark.parametrize("name", INTEGERS)
def test_deep_whole_numbers_go_from_black_to_white(name):
    data = INTEGERS[name]
    assert look(io.BytesIO(data)) == Header("longs" if "32" in name else "integers", False)
    pixels = read(data, Decoding(integers=(500, 3500)))
    assert pixels.shape == (30, 40, 3)
    assert np.abs(pixels[..., 1].astype(int) - GREY).max() <= 1


@pytest.mark.parametrize("data", UNUSUAL.values(), ids=UNUSUAL)
def test_a_tiff_means_other_numbers_than_pillow_reads(data):
    kind = look(io.BytesIO(data)).kind
    found = find_decoding(
        {each: [partial(io.BytesIO, data)] for each in ("integers", "longs", "floats") if each == kind}
    )
    for decoding in (found, Decoding()):
        assert np.abs(read(data, decoding)[..., 1].astype(int) - GREY).max() <= 8


def test_masks_of_0_and_1_are_black_and_white_where_all_are_masks():
    mask, sparse = np.zeros((2, 90, 70), np.uint8)
    mask[20:50, 10:30] = sparse[3, 5] = 1
    masks, photograph = [encoded(mask, "PNG"), encoded(sparse, "PNG")], encoded(GREY, "PNG")
    assert look(io.BytesIO(masks[0])) == Header("masks", False)
    for decoding in (decoding_of(masks), find_decoding({"masks": [partial(io.BytesIO, data) for data in masks]})):
        assert decoding.told()["masks"] == [0, 1]
        for data, pixels in zip(masks, (mask, sparse), strict=True):
            assert (read(data, decoding)[..., 1] == 255 * pixels).all()
        assert (read(photograph, decoding)[..., 1] == GREY).all()  # one that the sample missed
    assert "masks" not in decoding_of([*masks, photograph]).told()
    assert read(masks[0]).max() == 1


@pytest.mark.parametrize("data", FLOATS.values(), ids=FLOATS)
def test_floats_go_from_black_to_white(data):
    assert look(io.BytesIO(data)) == Header("floats", False)
    pixels = read(data, Decoding(floats=(-2e-5, 2e-5)))
    assert np.abs(pixels[..., 1].astype(int) - GREY).max() <= 1


@pytest.mark.parametrize("data", SHALLOW.values(), ids=SHALLOW)
def test_every_kind_of_file_is_read(data):
    header = look(io.BytesIO(data))
    assert (header.kind in ("", "masks"), header.paged) == (True, False)  # grey of 8 bits may be a mask
    pixels = read(data)
    assert pixels.shape == (30, 40, 3)
    assert np.abs(pixels.astype(int) - GREY[..., None]).max() < 12
    assert np.abs(read(data, side=20).mean() - pixels.mean()) < 4  # a card of it


def test_one_range_is_found_for_all_and_said_in_few_digits():
    dark, bright = DEEP // 8, DEEP
    files = [partial(io.BytesIO, encoded(each, "TIFF")) for each in (dark, bright, dark)]
    broken = [lambda: io.BytesIO(b"II*\0 no picture")]
    found = find_decoding({"integers": broken + files, "floats": []})
    assert found.floats is None
    low, high = found.integers
    assert 0 <= low <= 62 + 150
    assert 3400 <= high <= 3600
    assert high == round(high, -1)
    assert read(encoded(dark, "TIFF"), found).max() < 40  # dark beside the bright one, not as bright
    assert read(encoded(bright, "TIFF"), found).max() > 240
    assert Decoding.of(found.told()) == found
    assert find_decoding({}) == Decoding() == Decoding.of(Decoding().told())


@pytest.mark.parametrize(
    "other",
    [
        encoded((SLOPE * 3e7).astype(np.int32), "TIFF"),
        fits((SLOPE * 3e7).astype(">i4"), 32),
        encoded((SLOPE * 1e-3).astype(np.float32), "TIFF"),
    ],
    ids=["whole numbers", "whole numbers of a telescope", "floats"],
)
def test_pictures_of_another_kind_do_not_darken_those_beside_them(other):
    files = {"short": encoded(DEEP, "TIFF"), "other": other}
    openers = [partial(io.BytesIO, data) for data in files.values()]
    kinds = [look(each()).kind for each in openers]
    found = find_decoding({kind: [each] for kind, each in zip(kinds, openers, strict=True)})
    for decoding in (found, decoding_of([Image.open(each()) for each in openers]), Decoding.of(found.told())):
        for data in files.values():
            assert np.abs(read(data, decoding)[..., 1].astype(int) - GREY).max() <= 15
    for kind, each in zip(kinds, openers, strict=True):  # as it was alone
        assert getattr(found, kind) == getattr(find_decoding({kind: [each]}), kind)


def test_a_picture_of_no_numbers_is_broken_beside_others_too():
    lost = encoded(np.full((4, 4), np.nan, np.float32), "TIFF")
    with pytest.raises(UnreadableError, match="nothing to show: no pixel is a number"):
        read(lost, Decoding(floats=(0, 1)))
    assert Decoding(floats=(0, 1)).told()["version"] > Decoding().told()["version"]  # such pools are made anew


def png_of_16_bits(pixels):
    def chunk(name, data):
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    height, width, channels = pixels.shape
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0])
    lines = zlib.compress(b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_of_12_bits_in_16_has_one_white_and_keeps_its_balance(channels):
    red = np.zeros((30, 40, channels), np.uint16)
    red[..., 0] = SLOPE * 4095
    red[..., 1] = SLOPE * 2047
    red[..., 3:] = 65535  # opaque
    dim, bright = png_of_16_bits(red), png_of_16_bits(red * np.array([16, 16, 16, 1][:channels], np.uint16))
    assert look(io.BytesIO(dim)) == Header("colours", False)
    found = find_decoding({"colours": [partial(io.BytesIO, dim)] * 3})
    assert found == Decoding(colours=(0, 15)) == Decoding.of(found.told())
    pixels = read(dim, found)
    assert pixels[-1, -1].tolist() == [255, 119, 0]
    assert abs(pixels.astype(int) - read(bright)).max() <= 17  # of 16 levels
    assert find_decoding({"colours": [partial(io.BytesIO, bright)]}) == Decoding()
    black = png_of_16_bits(red // 65535 * 65535)
    assert find_decoding({"colours": [partial(io.BytesIO, black)]}) == Decoding()
    assert look(io.BytesIO(encoded(Image.fromarray(GREY).convert("RGB"), "BMP"))) == Header("", False)


@pytest.mark.parametrize("form", ["png", "tiff", "ppm"])
@pytest.mark.parametrize("handed_over", ["unread", "read by its owner", "told apart", "in memory"])
def test_dim_colour_of_16_bits_that_pillow_has_opened_is_as_bright_as_the_folders(form, handed_over, tmp_path):
    """Pillow forgets how many bits there were once it has read the pixels: the second look was black."""
    red = (SLOPE[..., None] * [4095, 2047, 0]).astype(np.uint16)
    data = png_of_16_bits(red) if form == "png" else b"P6\n40 30\n65535\n" + red.astype(">u2").tobytes()
    if form == "tiff":
        data = bytearray(tiff(red.astype("<u2").reshape(30, 120), 16, photometric=2))
        entries = {
            int.from_bytes(data[at : at + 2], "little"): at for at in range(8 + red.size * 2 + 2, len(data) - 4, 12)
        }
        for tag, kind, count, value in ((256, 4, 1, 40), (277, 3, 1, 3), (258, 3, 3, len(data))):
            told = kind.to_bytes(2, "little") + count.to_bytes(4, "little") + value.to_bytes(4, "little")
            data[entries[tag] + 2 : entries[tag] + 12] = told
        data += bytes([16, 0] * 3)
    (tmp_path / "dim").write_bytes(bytes(data))
    opened = Image.open(io.BytesIO(bytes(data)) if "memory" in handed_over else tmp_path / "dim")
    items = Pictures([opened])
    if "owner" in handed_over:
        opened.load()
    elif "told" in handed_over:
        items.digest(0)
    for _ in range(2):
        with Image.open(io.BytesIO(items.content(0, 224).data)) as card:
            corner = np.asarray(card)[-1, -1].tolist()
            assert corner == [255, 119 if form != "ppm" else 136, 0]  # of a PPM, Pillow rounds the upper 8 bits
    assert look(io.BytesIO(bytes(data))).kind == "colours"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("handed_over", ["", "shown", "told apart, then shown"])
@pytest.mark.parametrize("bits", [8, 16])
def test_colours_in_planes_of_their_own_are_the_same_picture(bits, order, handed_over):
    """Pillow takes the bytes of each plane of 16 bits for twice as many pixels of 8 bits."""
    white = 2**bits - 1
    pixels = np.stack([SLOPE, SLOPE[::-1], 1 - SLOPE]) * white
    data = bytearray(tiff(pixels.astype(f"{order}u{bits // 8}"), bits, order, photometric=2))
    code = "little" if order == "<" else "big"
    size, entries = bits // 8 * SLOPE.size, 8 + pixels.size * bits // 8
    end = len(data)  # where what is too long for an entry stands
    long = {258: (3, [bits] * 3), 273: (4, [8, 8 + size, 8 + 2 * size]), 279: (4, [size] * 3)}
    for i in range(10):
        at = entries + 2 + 12 * i
        tag = int.from_bytes(data[at : at + 2], code)
        if tag == 339:  # the kind of number is the usual one; said is how the colours lie
            data[at : at + 2] = (284).to_bytes(2, code)
            data[at + 8 : at + 10] = (2).to_bytes(2, code)
        elif tag == 277:
            data[at + 8 : at + 10] = (3).to_bytes(2, code)
        elif tag in long:
            kind, values = long[tag]
            data[at + 2 : at + 12] = b"".join([kind.to_bytes(2, code), (3).to_bytes(4, code), end.to_bytes(4, code)])
            more = b"".join(value.to_bytes(2 if kind == 3 else 4, code) for value in values)
            data += more
            end += len(more)
    stream = io.BytesIO(bytes(data))
    opened = Image.open(stream)
    if "told apart" in handed_over:  # which reads its bytes
        Pictures([opened]).digest(0)
    shown = np.asarray(Decoding().shown(opened)) if handed_over else read(bytes(data))
    assert np.abs(shown.astype(int) - np.moveaxis(pixels / white * 255, 0, -1)).max() <= 1
    assert look(io.BytesIO(bytes(data))).kind == ("colours" if bits == 16 else "")


def test_a_deep_picture_without_a_told_range_has_its_own():
    assert np.ptp(read(INTEGERS["png"])) > 240
    flat = read(encoded(np.full((4, 4), 7, np.uint16), "PNG"))
    assert np.ptp(flat) == 0
    lost = np.full((4, 4), np.nan, np.float32)
    with pytest.raises(UnreadableError, match="no pixel is a number"):
        read(encoded(lost, "TIFF"))
    lost[0] = 1, 2, 3, np.inf
    assert read(encoded(lost, "TIFF"))[:2, :, 0].tolist() == [[0, 128, 255, 255], [0, 0, 0, 0]]


@pytest.mark.parametrize("way", range(1, 9))
@pytest.mark.parametrize(
    ("image", "form"), [(GREY, "JPEG"), (GREY, "PNG"), (GREY, "TIFF"), (DEEP, "TIFF"), (DEEP, "PNG")]
)
def test_the_orientation_is_obeyed(image, form, way):
    # What a camera stores so that, turned as EXIF says, it is SLOPE again.
    stored = {
        1: image,
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: image.T,
        6: np.rot90(image),
        7: image[::-1, ::-1].T,
        8: np.rot90(image, -1),
    }[way]
    data = encoded(np.ascontiguousarray(stored), form, exif=turned(way), **({"quality": 95} if form == "JPEG" else {}))
    for side in (None, 40):
        pixels = read(data, Decoding(integers=(500, 3500)), side)
        assert pixels.shape == (30, 40, 3)
        assert np.abs(pixels[..., 0].astype(int) - GREY).max() < 8


def test_a_broken_orientation_turns_nothing():
    data = encoded(GREY, "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x09\x01\x12")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read(data).shape == (30, 40, 3)
    assert read(encoded(GREY, "PNG", exif=turned(77))).shape == (30, 40, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode):
    image = Image.new("RGBA", (8, 4), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 4, 4))
    data = encoded(image.convert(mode), "PNG")
    pixels = read(data)
    assert (pixels[:, :4] == 0).all()
    assert (pixels[:, 4:] == 255).all()


def test_pages_are_noticed_and_the_first_is_shown():
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    for form in ("TIFF", "GIF", "WEBP", "PNG"):
        data = encoded(pages[0], form, save_all=True, append_images=pages[1:])
        assert look(io.BytesIO(data)).paged
        assert np.abs(read(data)[0, 0].astype(int) - (255, 0, 0)).max() < 8


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "an empty file"),
        (b"\n<!DOCTYPE html><html>404</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS; `git lfs pull` gets"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "a HEIC picture; `pip install pillow-heif` reads HEIC"),
        (b"PK\x03\x04" + bytes(99), "an archive; unpack"),
        (tiff(SLOPE, 64, sample_format=3), "a TIFF of grey in floats of 64 bits, .*; save it in grey of 16 bits"),
        (bytes(5000), "begins with zeros only, .*; copy it again"),
        (SHALLOW["jpeg"][:-200], "cut off: the end of the picture is missing; copy it again"),
        (INTEGERS["png"][:-200], "cut off: the end of the picture is missing; copy it again"),
        (b"P5\n60000 60000\n255\n" + bytes(99), "too large: more than 178,956,970 pixels"),
        (b"P4\n9000 9000\n" + bytes(99), "9000 x 9000 pixels in 112 bytes would fill the memory"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) print\n",
            "a PostScript drawing; export",
        ),
    ],
    ids=[
        "empty",
        "a page",
        "a pointer",
        "a telephone's",
        "an archive",
        "doubles",
        "zeros",
        "cut",
        "cut deep",
        "gigabytes",
        "filler",
        "a program",
    ],
)
def test_what_shows_no_picture_says_why(data, reason):
    with pytest.raises(UnreadableError, match=reason):
        read(data)


@pytest.mark.parametrize("colour", [255, 0])
def test_a_blank_picture_is_shown_however_few_bytes_it_takes(colour):
    """Hundreds of its pixels are in each byte, as in a file that would fill the memory."""
    data = encoded(Image.new("L", (2000, 2000), colour), "PNG")
    assert len(data) * 400 < 2000 * 2000
    assert (read(data, side=64) == colour).all()


@given(st.sampled_from([*INTEGERS.values(), *FLOATS.values(), *SHALLOW.values()]), st.data())
def test_damage_is_a_reason_and_never_another_error(data, draw):
    broken = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 5))):
        broken[draw.draw(st.integers(0, len(broken) - 1))] = draw.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            assert read(bytes(broken), side=16).shape[2] == 3
        except UnreadableError as error:
            what, cure = str(error).split("; ", 1)
            assert what
            assert cure


def test_programs_and_names_without_a_reader_are_no_pictures():
    assert {".jpg", ".jpeg", ".png", ".tif", ".webp", ".gif", ".avif", ".fits", ".jp2", ".mpo"} <= set(endings())
    assert not {".eps", ".ps", ".pdf", ".h5", ".hdf", ".mpg", ".wmf"} & set(endings())
    assert "EPS" not in formats()
