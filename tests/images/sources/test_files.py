"""Photographs as files: both layouts of ImageNet, both splits of Food-101, any folder; and the odd ones among them."""

import os
import time
import warnings

import numpy as np
import photographs
import pytest
from PIL import Image, ImageFile
from torchvision.datasets.folder import pil_loader

from elsa_nb import store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.images.extraction.crops import Crops, find_broken
from elsa_nb.images.sources.decoding import decode
from elsa_nb.images.sources.files import open_folder
from elsa_nb.images.sources.food101 import open_food101
from elsa_nb.images.sources.imagenet import open_imagenet, titles

SMALL = CropGeometry(resize=24, crop=20)


@pytest.mark.parametrize("kind", [k for k in photographs.odd_files() if k not in photographs.BROKEN])
def test_odd_images_are_read_as_torchvisions_image_folder_reads_them(tmp_path, kind):
    path = tmp_path / "image.JPEG"
    path.write_bytes(photographs.odd_files()[kind])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told, pixels = np.asarray(pil_loader(path)), decode(path.read_bytes())
    assert pixels.shape == (30, 40, 3)  # an EXIF orientation turns nothing
    assert (pixels == told).all()
    if kind not in ("grey", "palette"):
        assert np.abs(pixels.astype(int) - np.asarray(photographs.scene())).mean() < 6


@pytest.mark.parametrize("kind", photographs.BROKEN)
@pytest.mark.parametrize("lenient", [False, True])
def test_broken_images_are_refused_by_name_whatever_pillow_is_told(kind, lenient, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    if lenient and kind == "truncated":
        assert decode(photographs.odd_files()[kind]).shape == (30, 40, 3)  # who asks Pillow for grey rows gets them
        return
    with pytest.raises(CorruptFileError, match=r"The image n01_7 is broken \(.*\)\. Get a whole copy, or skip"):
        decode(photographs.odd_files()[kind], "n01_7")


def test_a_picture_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(CorruptFileError, match="decompression bomb"):
        decode(photographs.odd_files()["rgb"])


@pytest.mark.parametrize("layout", ["torchvision", "kaggle"])
def test_imagenet_in_either_layout(tmp_path, monkeypatch, layout):
    monkeypatch.setenv("ELSA_IMAGENET", str(photographs.imagenet(tmp_path, layout)))
    train = open_imagenet()
    assert train.classes == photographs.WNIDS
    assert train.ids[:2].tolist() == ["n01440764_1", "n01440764_2"]
    assert train.targets.tolist() == np.repeat(range(4), 4).tolist()
    assert train.class_rows("n02088364").tolist() == [4, 5, 6, 7]
    assert train.note == "16 of 1,281,167 images, 4 of 1,000 classes"
    assert decode(train.read(5)).shape == (31, 41, 3)
    val = open_imagenet(split="val")
    assert val.labels["name"].tolist() == list(photographs.WNIDS)
    assert val.ids[0] == "ILSVRC2012_val_00000001"


def test_the_layout_does_not_change_the_fingerprint_but_an_image_does(tmp_path):
    one, other = (open_imagenet(photographs.imagenet(tmp_path / k, k)) for k in ("torchvision", "kaggle"))
    assert one.sha256 == other.sha256
    path = one.root / one.paths[3]
    path.write_bytes(path.read_bytes() + b"x")
    assert open_imagenet(tmp_path / "torchvision").sha256 != one.sha256


def test_what_is_no_imagenet_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("ELSA_IMAGENET", raising=False)
    with pytest.raises(
        MissingDataError, match=r"^ELSA_IMAGENET is not set: set it to the folder of your copy of ImageNet"
    ):
        open_imagenet()
    monkeypatch.setenv("ELSA_IMAGENET", str(tmp_path / "nowhere"))
    with pytest.raises(MissingDataError, match="nowhere is not here, though ELSA_IMAGENET named it as ImageNet-1k"):
        open_imagenet()
    with pytest.raises(MissingDataError, match=r"looked for .*train \(torchvision's layout\) and .*CLS-LOC/train"):
        open_imagenet(tmp_path)
    with pytest.raises(ValueError, match="split is 'test'; allowed: train, val"):
        open_imagenet(tmp_path, "test")
    photographs.imagenet(tmp_path)
    train = tmp_path / "train"
    (train / "n02088364" / "n02088364_1.JPEG").rename(train / "n01440764" / "n02088364_1.JPEG")
    with pytest.raises(CorruptFileError, match=r"n02088364_1\.JPEG is in the folder of another class"):
        open_imagenet(tmp_path)
    (train / "n01440764").rename(train / "tench")
    with pytest.raises(CorruptFileError, match="holds tench, which is not a WordNet id"):
        open_imagenet(tmp_path)
    (tmp_path / "empty" / "train").mkdir(parents=True)
    with pytest.raises(MissingDataError, match="There are no images in"):
        open_imagenet(tmp_path / "empty")


def test_kaggles_validation_images_need_their_table(tmp_path):
    photographs.imagenet(tmp_path, "kaggle")
    (tmp_path / "LOC_val_solution.csv").write_text(
        "ImageId,PredictionString\nILSVRC2012_val_00000001,n01440764 1 1 2 2\n"
    )
    with pytest.raises(CorruptFileError, match="does not name the class of ILSVRC2012_val_00000002"):
        open_imagenet(tmp_path, "val")
    (tmp_path / "LOC_val_solution.csv").unlink()
    with pytest.raises(MissingDataError, match=r"LOC_val_solution\.csv, which names them, is in no folder above"):
        open_imagenet(tmp_path, "val")


def test_the_1000_names_are_those_of_the_papers_figure():
    wnids = tuple(f"n{i:08d}" for i in range(1000))
    names = list(titles(wnids).values())
    assert (names[822], names[162], names[554]) == ("steel drum", "beagle", "fireboat")
    with pytest.raises(ValueError, match="there are 4 classes"):
        titles(photographs.WNIDS)


def test_food_101_is_one_pool_of_both_splits(tmp_path, monkeypatch):
    monkeypatch.setenv("ELSA_FOOD101", str(photographs.food101(tmp_path)))
    food = open_food101()
    assert len(food) == 12
    assert food.splits.tolist() == ["train"] * 9 + ["test"] * 3
    assert food.classes == ("apple_pie", "baklava", "waffles")
    assert food.ids[[0, 9]].tolist() == ["apple_pie/0", "apple_pie/3"]
    assert food.class_rows("baklava").tolist() == [3, 4, 5, 10]
    assert food.note == "12 of 101,000 images, 3 of 101 classes"
    assert len(open_food101(tmp_path / "food-101", ("test",))) == 3
    (food.root / food.paths[4]).unlink()
    with pytest.raises(CorruptFileError, match=r"lacks 1 of 12 images, such as baklava/101\.jpg"):
        open_food101()
    with pytest.raises(MissingDataError, match=r"looked for images/, meta/train\.json"):
        open_food101(tmp_path / "food-101" / "images")
    monkeypatch.delenv("ELSA_FOOD101")
    with pytest.raises(MissingDataError, match=r"^ELSA_FOOD101 is not set"):
        open_food101()


def test_any_folder_of_images(tmp_path):
    for name in ("b/2.png", "b/deep/1.JPG", "a/x.jpeg", "loose.webp", ".hidden/1.jpg", "a/.1.jpg", "a/notes.txt"):
        photographs.write(tmp_path / name, photographs.odd_files()["rgb"])
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    files = open_folder(tmp_path, "mine")
    assert files.paths.tolist() == ["loose.webp", "a/x.jpeg", "b/2.png", "b/deep/1.JPG"]
    assert files.labels["name"].tolist()[1:] == ["a", "b", "b"]
    assert files.labels["name"].isna().tolist() == [True, False, False, False]
    assert files.ids.tolist() == files.paths.tolist()
    assert files.name == "mine"
    with pytest.raises(MissingDataError, match="is not a folder"):
        open_folder(tmp_path / "nowhere")
    (tmp_path / "loose.webp").unlink()
    with pytest.raises(MissingDataError, match="is not here any more"):
        files.read(0)


@pytest.fixture
def odd(tmp_path):
    for kind, data in photographs.odd_files().items():
        photographs.write(tmp_path / "odd" / f"{kind}.JPEG", data)
    return open_folder(tmp_path / "odd")


@pytest.mark.parametrize("workers", [0, 2])
def test_broken_images_are_found_left_out_and_named(odd, tmp_path, monkeypatch, workers):
    monkeypatch.setattr(store, "DATA", tmp_path / "data")
    assert find_broken(odd, workers, progress=False) == sorted(f"{kind}.JPEG" for kind in photographs.BROKEN)
    crops = Crops(odd, SMALL, workers=workers)
    with pytest.raises(CorruptFileError, match=r"empty\.JPEG is broken"):
        crops.images()
    whole = crops.without_broken(progress=False)
    assert whole.broken == ("empty.JPEG", "text.JPEG", "truncated.JPEG")
    assert len(whole) == len(odd) - 3
    assert not set(whole.ids) & set(whole.broken)
    assert whole.images([0, 2]).shape == (2, 3, 20, 20)
    assert (
        len({crops.sha256, whole.sha256, Crops(odd, CropGeometry(24, 16)).sha256, Crops(odd, SMALL, "pillow").sha256})
        == 4
    )
    assert crops.without_broken(progress=False).sha256 == whole.sha256  # from the finding that was kept


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (256, 256), (300, 257), (1000, 200), (64, 64), (33, 100)])
def test_the_fast_resize_is_pillows_within_one_level(size):
    from torchvision import transforms

    picture = photographs.scene(3, *size)
    told = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])(picture)
    told = np.asarray(told).transpose(2, 0, 1).astype(int)
    geometry = CropGeometry()
    assert (geometry.apply(picture, "pillow") == told).all()
    difference = np.abs(geometry.apply(picture, "torch") - told)
    assert difference.max() <= 1
    assert difference.mean() < 0.01


def test_bad_settings_are_refused(odd):
    with pytest.raises(ValueError, match="resizer is 'fast'; allowed: pillow, torch"):
        Crops(odd, SMALL, "fast")
    with pytest.raises(ValueError, match="crop is 30 and resize 20"):
        CropGeometry(20, 30)
    with pytest.raises(ValueError, match="interpolation is 'nearest'; allowed: bilinear, bicubic"):
        CropGeometry(20, 20, "nearest")


def test_opening_a_hundred_thousand_files_takes_seconds(tmp_path):
    for c in range(4):
        folder = tmp_path / "train" / f"n0000000{c}"
        folder.mkdir(parents=True)
        for i in range(2500):
            os.close(os.open(folder / f"n0000000{c}_{i}.JPEG", os.O_CREAT))
    began = time.process_time()  # not the clock's: other programs take turns with this one
    files = open_imagenet(tmp_path)
    assert len(files.sha256) == 64
    assert time.process_time() - began < 3  # for 10,000
