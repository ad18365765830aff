"""A network of one's own as an encoder: what does not fit its description is said before a vector is stored."""

import pytest
import torch
from torch import nn

from elsa_nb.images.encoders.libraries import LibraryModel
from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.images.extraction.folder_pools import extract_folder
from elsa_nb.images.extraction.forward import spaces_of
from elsa_nb.images.sources.files import open_folder

TWO = {"embedding": 4, "projection": 2}
FOUR = {"embedding": 4}


@pytest.mark.parametrize(
    ("dimensions", "made", "got"),
    [
        ({"embedding": 8}, [torch.zeros(3, 4)], r"\(3, 4\)"),  # was "mmap length is greater than file size"
        ({"embedding": 2}, [torch.zeros(3, 4)], r"\(3, 4\)"),  # was "the disk is failing"
        (FOUR, [torch.zeros(3, 4, 2, 2)], r"\(3, 4, 2, 2\)"),
        (FOUR, [torch.zeros(1, 4)], r"\(1, 4\)"),
        (FOUR, [(torch.zeros(3, 4), 0)], "tuple"),
        (FOUR, [{"pooled": torch.zeros(3, 4)}], "dict"),
        (FOUR, [torch.zeros(3, 4).numpy()], "ndarray"),
        (TWO, [torch.zeros(3, 4)], r"\(3, 4\)"),
        (FOUR, [], "nothing"),
    ],
)
def test_an_encoder_that_makes_other_vectors_than_it_says_is_refused(dimensions, made, got):
    with pytest.raises(ValueError, match=f"the encoder 'mine' makes of 3 images {got}, and by its dimensions it makes"):
        spaces_of(dimensions, made, 3, "mine")


def test_one_vector_an_image_may_have_other_axes_of_length_one():
    made = torch.arange(12.0).reshape(3, 4, 1, 1)
    assert torch.equal(spaces_of(FOUR, (made,), 3, "mine")[0], made[:, :, 0, 0])
    assert torch.equal(spaces_of(FOUR, made[:, :, 0, 0], 3, "mine")[0], made[:, :, 0, 0])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"network": torch.relu}, "network of type builtin_function_or_method; give a torch.nn.Module"),
        ({"dimension": 0}, "dimension = 0; give the number of values in a vector, 1 or more"),
        ({"dimension": 4.0}, "dimension = 4.0; give"),
        ({"geometry": None}, "geometry = None; give a CropGeometry"),
        ({"mean": 0.5}, "mean = 0.5; give three numbers, one per channel"),
        ({"mean": (0.5,)}, r"mean = \(0.5,\); give three numbers"),
        ({"std": (0, 0, 0)}, r"std = \(0, 0, 0\); give three numbers above 0"),
    ],
)
def test_what_makes_no_encoder_is_refused(changed, said):
    whole = {"network": nn.Flatten(), "name": "mine", "dimension": 4, "geometry": CropGeometry(32, 32)}
    with pytest.raises(ValueError, match=said):
        LibraryModel(**whole | changed)
    with pytest.raises(ValueError, match=r"crop is 32 and resize 32\.5; give whole numbers of pixels"):
        CropGeometry(32.5, 32)


def test_what_is_no_folder_and_no_encoders_by_name_is_refused(album):
    files, encoder = open_folder(album), LibraryModel(nn.Flatten(), "mine", 4, CropGeometry(32, 32))
    for given in ([encoder], encoder, {}, {"mine": nn.Flatten()}):
        with pytest.raises(ValueError, match=r"give encoders by name: {'mine': LibraryModel"):
            extract_folder(files, given, name="x")
    with pytest.raises(ValueError, match="files of type str; give what open_folder"):
        extract_folder("my-images", {"mine": encoder}, name="x")
    with pytest.raises(ValueError, match=r"workers is 'a'; give 0 \(only this process\) or more"):
        extract_folder(files, {"mine": encoder}, name="x", workers="a")
    with pytest.raises(ValueError, match="root is ''; give the path or the name of a folder of images"):
        open_folder("")
