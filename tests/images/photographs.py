"""Small photographs, odd ones among them, and ImageNet-1k and Food-101 in miniature, in their true layouts."""

import io
import json

import numpy as np
from PIL import Image


def scene(seed=0, width=40, height=30):
    """Make a picture with smooth colours, so that JPEG keeps most of it."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(picture, form="JPEG", **options):
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def rotated_by_exif(picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees in viewers that obey it
    return encoded(picture, exif=exif)


def odd_files(picture=None):
    """Make one file of each odd kind that ImageNet holds, or copies of it come to hold."""
    picture = picture or scene()
    jpeg = encoded(picture)
    return {
        "rgb": jpeg,
        "grey": encoded(picture.convert("L")),
        "cmyk": encoded(picture.convert("CMYK")),
        "progressive": encoded(picture, progressive=True),
        "png": encoded(picture, "PNG"),
        "palette": encoded(picture.quantize(16), "PNG"),
        "transparent": encoded(picture.convert("RGBA"), "PNG"),
        "rotated": rotated_by_exif(picture),
        "corrupt-exif": encoded(picture, exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x09\x01\x12"),
        "truncated": jpeg[: len(jpeg) * 2 // 3],
        "empty": b"",
        "text": b"<html>404</html>",
    }


BROKEN = ("truncated", "empty", "text")
WNIDS = ("n01440764", "n02088364", "n03344393", "n04311174")


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def imagenet(root, layout="torchvision", classes=WNIDS, each=4):
    """Write a miniature ImageNet-1k: each class has colours of its own; the first image of each is grey."""
    above = {"torchvision": root, "kaggle": root / "ILSVRC" / "Data" / "CLS-LOC"}[layout]
    solution = ["ImageId,PredictionString"]
    for c, wnid in enumerate(classes):
        for i in range(each):
            picture = scene(1000 * c + i // 4, 40 + c, 30 + i % 5)
            write(above / "train" / wnid / f"{wnid}_{i + 1}.JPEG", encoded(picture.convert("L" if i == 0 else "RGB")))
        stem = f"ILSVRC2012_val_{c + 1:08d}"
        place = above / "val" / wnid if layout == "torchvision" else above / "val"
        write(place / f"{stem}.JPEG", encoded(scene(c)))
        solution.append(f"{stem},{wnid} 1 2 3 4")
    if layout == "kaggle":
        (root / "LOC_val_solution.csv").write_text("\n".join(solution) + "\n")
    return root


def food101(root, classes=("apple_pie", "baklava", "waffles"), each=4):
    """Write a miniature Food-101; of each class, three quarters are training images."""
    lists = {"train": {}, "test": {}}
    for c, name in enumerate(classes):
        for i in range(each):
            image = f"{name}/{100 * c + i}"
            lists["train" if i < each * 3 // 4 else "test"].setdefault(name, []).append(image)
            write(root / "food-101" / "images" / f"{image}.jpg", encoded(scene(77 * c + i // 4, 48, 36 + i % 3)))
    for split, told in lists.items():
        write(root / "food-101" / "meta" / f"{split}.json", json.dumps(told).encode())
    return root
