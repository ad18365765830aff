"""Every change of a photograph against torchvision's, and the published strengths and chances."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import torchvision.transforms.v2.functional as official
from PIL import Image
from torchvision.transforms import RandomResizedCrop

from elsa_nb.images.training.photo_augmentations import (
    PhotoAugmentation,
    crop,
    crop_boxes,
    gaussian_blur,
    turn_hue,
    views,
)

OFF = {"mirror": 0.0, "jitter": 0.0, "grey": 0.0, "blur": 0.0, "solarise": 0.0, "scale": (1.0, 1.0)}


def photographs(m=6, height=40, width=56):
    """Smooth colours, so that bicubic scaling by two libraries can agree."""
    coarse = torch.rand(m, 3, 5, 7, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)


def test_the_two_variants_are_the_published_ones():
    first, second = views("asymmetric", 224)
    assert (first.blur, first.solarise, second.blur, second.solarise) == (1.0, 0.0, 0.1, 0.2)
    same, other = views("symmetric", 224)
    assert same == other
    assert (same.blur, same.solarise) == (0.5, 0.1)
    for view in (first, second, same):
        assert (view.brightness, view.contrast, view.saturation, view.hue) == (0.4, 0.4, 0.2, 0.1)
        assert (view.jitter, view.grey, view.mirror, view.scale, view.sigma) == (0.8, 0.2, 0.5, (0.08, 1.0), (0.1, 2.0))
    with pytest.raises(ValueError, match=r"'byol'.*symmetric"):
        views("byol", 224)


def test_a_view_has_its_side_its_range_and_follows_the_generator():
    images = photographs()
    seen = [views("asymmetric", 24)[1](images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert seen[0].shape == (6, 3, 24, 24)
    assert seen[0].min() >= 0
    assert seen[0].max() <= 1
    torch.testing.assert_close(seen[0], seen[1], rtol=0, atol=0)
    assert not torch.equal(seen[0], seen[2])
    square = photographs(3, 32, 32)
    torch.testing.assert_close(PhotoAugmentation(32, **OFF)(square, torch.Generator()), square, rtol=0, atol=2e-3)


def test_boxes_are_distributed_as_torchvisions():
    boxes = crop_boxes(4000, (40, 56), (0.08, 1.0), torch.Generator().manual_seed(0)).numpy()
    torch.manual_seed(0)
    image = torch.zeros(3, 40, 56)
    told = np.array([RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(4000)])
    for column in range(4):
        marks = [10, 25, 50, 75, 90]
        np.testing.assert_allclose(
            np.percentile(boxes[:, column], marks), np.percentile(told[:, column], marks), atol=1.6
        )
    top, left, h, w = boxes.T
    assert min(top.min(), left.min()) >= 0
    assert (top + h).max() <= 40
    assert (left + w).max() <= 56
    narrow = crop_boxes(5, (10, 100), (1.0, 1.0), torch.Generator().manual_seed(0))  # nothing fits: the central crop
    assert narrow.tolist() == [[0, 43, 10, 13]] * 5


def test_crops_equal_pillows_inside_their_edges():
    images = photographs(2)
    boxes = torch.tensor([[4, 6, 20, 24], [0, 0, 40, 40]])
    mirrored = torch.tensor([False, True])
    cut = crop(images, boxes, mirrored, 48)
    for i, (top, left, h, w) in enumerate(boxes.tolist()):
        pixels = (images[i] * 255).round().byte().permute(1, 2, 0).numpy()
        told = Image.fromarray(pixels).resize((48, 48), Image.Resampling.BICUBIC, box=(left, top, left + w, top + h))
        told = torch.from_numpy(np.array(told)).permute(2, 0, 1) / 255
        told = told.flip(2) if mirrored[i] else told
        assert (cut[i] - told)[:, 4:-4, 4:-4].abs().max() < 0.02


@pytest.mark.parametrize("turn", [-0.1, 0.03, 0.1, 0.5])
def test_hue_equals_torchvisions(turn):
    images = torch.rand(3, 3, 9, 9, generator=torch.Generator().manual_seed(2))
    images[0] = 0.4  # grey stays
    torch.testing.assert_close(turn_hue(images, torch.full((3, 1, 1), turn)), official.adjust_hue(images, turn))


@pytest.mark.parametrize("what", ["brightness", "contrast", "saturation"])
def test_each_jitter_equals_torchvisions(what):
    """With a range of one point the drawn factor is known: 1 + half or 1 - half, told from the result's mean."""
    images = photographs(8, 32, 32)
    alone = PhotoAugmentation(32, **OFF | {"jitter": 1.0}, **dict.fromkeys(("brightness", "contrast", "saturation"), 0))
    view = replace(alone, hue=0.0, **{what: 0.4})(images, torch.Generator().manual_seed(3))
    plain = replace(alone, hue=0.0)(images, torch.Generator().manual_seed(3))
    adjust = getattr(official, f"adjust_{what}")
    for mine, image in zip(view, plain, strict=True):
        differences = [(adjust(image, factor) - mine).abs().max().item() for factor in np.linspace(0.6, 1.4, 401)]
        assert min(differences) < 2e-3
    assert (view - plain).abs().amax(dim=(1, 2, 3)).min() > 1e-4


def test_blur_equals_torchvisions_and_each_image_has_its_own():
    images, sigma = photographs(2, 32, 32), torch.tensor([0.4, 1.5])
    blurred = gaussian_blur(images, sigma)
    for i in range(2):
        told = official.gaussian_blur(images[i : i + 1], [11, 11], [sigma[i].item()] * 2)
        assert (blurred[i] - told[0])[:, 6:-6, 6:-6].abs().max() < 1e-3
    assert len(gaussian_blur(images[:0], sigma[:0])) == 0


def test_grey_solarise_and_mirror():
    images = photographs(4, 32, 32)
    still = PhotoAugmentation(32, **OFF)(images, torch.Generator())
    grey = PhotoAugmentation(32, **OFF | {"grey": 1.0})(images, torch.Generator())
    torch.testing.assert_close(grey, official.rgb_to_grayscale(still, 3), rtol=0, atol=1e-3)
    solar = PhotoAugmentation(32, **OFF | {"solarise": 1.0})(images, torch.Generator())
    torch.testing.assert_close(solar, official.solarize(still, 128 / 255))
    mirror = PhotoAugmentation(32, **OFF | {"mirror": 1.0})(images, torch.Generator())
    torch.testing.assert_close(mirror, still.flip(3), rtol=0, atol=1e-4)


@pytest.mark.parametrize("what", ["mirror", "jitter", "grey", "blur", "solarise"])
def test_chances_are_kept(what):
    assert what in {field.name for field in fields(PhotoAugmentation)}
    images = photographs(1, 16, 16).expand(1000, -1, -1, -1)
    strong = PhotoAugmentation(16, **OFF | {what: 0.3}, sigma=(20.0, 20.0))
    view = strong(images, torch.Generator().manual_seed(5))
    still = PhotoAugmentation(16, **OFF)(images[:1], torch.Generator())
    changed = ((view - still).abs().amax(dim=(1, 2, 3)) > 1e-3).float().mean().item()
    assert changed == pytest.approx(0.3, abs=0.05)
