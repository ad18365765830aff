"""Why a file shows no picture: the cause is read from the file, and every cause comes with a cure."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from elsa_nb.pictures import reasons
from elsa_nb.pictures.decoding import Decoding, UnreadableError
from elsa_nb.pictures.kinds import FILE_KINDS, FIRST_BYTES, kind_by_content, kind_by_name

NOISE = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF", "JPEG2000", "TGA", "PPM", "SGI", "DDS", "QOI")


def encoded(form, **options):
    stream = io.BytesIO()
    Image.fromarray(NOISE).save(stream, form, **options)
    return stream.getvalue()


WHOLE = {form: encoded(form) for form in FORMATS}


def tiff(**tags):
    """Write a TIFF by hand: 8 x 8 pixels, 8 bits of grey without compression, but for the tags given by number."""
    told = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 64 * 16, 339: 1}
    told |= {int(key[1:]): value for key, value in tags.items()}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(told.items()))
    return (
        b"II*\0" + struct.pack("<I", 8 + 64 * 16) + bytes(64 * 16) + struct.pack("<H", len(told)) + entries + bytes(4)
    )


def reason(data):
    with pytest.raises(UnreadableError) as caught:
        Decoding().picture(io.BytesIO(data))
    return str(caught.value)


@given(st.sampled_from(FORMATS), st.floats(0.05, 0.95))
def test_a_file_that_is_cut_anywhere_is_called_so_and_told_the_cure(form, share):
    data = WHOLE[form]
    said = reason(data[: int(share * len(data))])
    assert said.startswith("cut off: ")
    assert said.endswith("; copy it again")
    assert "not processed" not in said


@pytest.mark.parametrize("form", ["TIFF", "WEBP", "AVIF", "JPEG2000"])
@given(missing=st.integers(1, 900))
def test_what_is_missing_is_counted_where_the_file_says_how_long_it_is(form, missing):
    whole = len(WHOLE[form])
    assert f"{missing:,} of {whole:,} bytes are missing" in reason(WHOLE[form][:-missing])


def test_a_large_tiff_that_is_cut_is_counted_too():
    data = encoded("TIFF", big_tiff=True)
    assert f"5,000 of {len(data):,} bytes are missing" in reason(data[:-5000])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF"])
def test_a_file_with_its_end_is_not_called_cut(form):
    data = bytearray(WHOLE[form])
    data[len(data) // 3 : 2 * len(data) // 3] = b"\xff" * (2 * len(data) // 3 - len(data) // 3)
    try:
        Decoding().picture(io.BytesIO(data))
    except UnreadableError as error:
        assert str(error).startswith("damaged inside")


def test_a_file_that_was_made_long_enough_and_never_filled_is_told_so():
    data = WHOLE["PNG"]
    assert "its end holds zeros only" in reason(data[: len(data) // 2] + bytes(9000))


@given(st.integers(2, 65535).filter(lambda number: number not in TiffImagePlugin.COMPRESSION_INFO))
def test_a_tiff_of_any_compression_that_is_not_read_is_said_to_be_so(number):
    said = reason(tiff(t259=number))
    assert said.startswith("a TIFF compressed with ")
    assert said.endswith("; save it with LZW or without compression")


@pytest.mark.parametrize(("number", "named"), [(50002, "JPEG XL"), (34712, "JPEG 2000"), (34887, "LERC")])
def test_known_compressions_are_named(number, named):
    assert f"compressed with {named}, which" in reason(tiff(t259=number))


def test_a_compression_that_this_pillow_was_built_without_is_named_and_nothing_is_written(monkeypatch, capfd):
    data = encoded("TIFF", compression="lzma")
    assert Decoding().picture(io.BytesIO(data)).size == (80, 60)
    monkeypatch.setattr(reasons, "_has_codec", lambda compression: compression != "lzma")
    assert "compressed with LZMA, which is not read" in reason(data)
    assert capfd.readouterr() == ("", "")


def test_whether_a_compression_is_there_is_asked_where_nobody_sees_the_answer(capfd):
    assert reasons._has_codec("lzma")
    assert isinstance(reasons._has_codec("webp"), bool)  # most are built without, and libtiff complains
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"t277": 5}, "a TIFF of 5 channels; save"),
        ({"t277": 2}, "a TIFF of 2 channels of which none is said to be a colour; save it as RGB"),
        ({"t262": 32803}, "a TIFF of a camera's sensor, or in colours that are not read; save it as RGB"),
        ({"t258": 64, "t339": 3}, "grey in floats of 64 bits"),
        ({"t258": 16, "t339": 3}, "grey in floats of 16 bits"),
        ({"t258": 64, "t339": 6}, "grey in complex numbers of 64 bits"),
        ({"t258": 64, "t339": 2}, "grey in whole numbers with a sign of 64 bits"),
    ],
)
def test_what_is_not_read_in_a_tiff_is_named_with_its_cure(tags, said):
    assert said in reason(tiff(**tags))
    assert "; save " in reason(tiff(**tags))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\x0a" + bytes(99), "a JPEG XL picture; save"),
        (b"\0\0\0\x18ftypisom" + bytes(99), "a film; save"),
        (b'<?xml version="1.0"?>\n<!-- a --><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing; export"),
        (b"<svg/>", "an SVG drawing; export"),
        (b"<html><body><svg/>", "a web page"),
        (b"<!-- saved --> <HTML><body><svg/>", "a web page"),
        (b"ID3,name\n4,a\n", "a text, not a picture"),
        (b"ID3\x03\0" + bytes(99), "a sound"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + b"picture!" * 20, "damaged or cut off ("),
        (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "a text in XML"),
        (bytes(128) + b"DICM" + bytes(99), "a DICOM file; export"),
        (b'{"error": 404}', "a text, not a picture"),
        ("Ärger".encode() * 200, "a text, not a picture"),
        ("hello".encode("utf-16"), "a text, not a picture"),
        (b"\x01\x02\x80" * 99, "not a kind of file that is read here; save it as"),
        (b"\x89PNG\r\n\x1a\n" + b"\1" * 99 + b"IEND", "a PNG that is damaged; copy it again"),
    ],
)
def test_what_is_no_picture_is_named_with_its_cure(data, said):
    assert reason(data).startswith(said)
    assert "; " in reason(data)


@given(st.binary(max_size=600))
def test_any_bytes_have_a_reason_with_a_cure(data):
    try:
        Decoding().picture(io.BytesIO(data))
    except UnreadableError as error:
        assert "; " in str(error)


def test_kinds_are_told_apart_and_what_pillow_writes_is_known_by_its_beginning():
    every = [ending for kind in FILE_KINDS for ending in kind.endings]
    assert len(every) == len(set(every))
    for form, ending in {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "GIF": ".gif"}.items():
        assert kind_by_content(WHOLE[form][:FIRST_BYTES]).endings[0] == ending
    for form, ending in {"BMP": ".bmp", "AVIF": ".avif", "JPEG2000": ".jp2"}.items():
        assert kind_by_content(WHOLE[form][:FIRST_BYTES]).endings[0] == ending
    assert kind_by_name("A.NII.GZ").one == "volume"
    assert kind_by_name("a.gz").one == "archive"
    assert kind_by_name("a.txt") is None
