"""What a pool is called is one name in the folder of pools: others are refused before anything is made."""

import pytest
from torch import nn

from elsa_nb.images.encoders.libraries import LibraryModel
from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.images.extraction.extract import extract, extract_all
from elsa_nb.images.extraction.folder_pools import extract_folder
from elsa_nb.images.sources.files import open_folder

BAD = {
    "facebook/dinov2": "facebook-dinov2",
    "../up": "up",
    "a\\b": "a-b",
    "": "mine",
    " ": "mine",
    ".x": "x",
    "a\nb": "a-b",
}


def encoder(name="mine"):
    return LibraryModel(nn.Flatten(), name, 3 * 8 * 8, CropGeometry(8, 8))


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_is_no_part_of_a_folders_name_is_refused_with_one_that_is(album, tmp_path, name):
    files, place = open_folder(album), tmp_path / "pools"
    said = f"such as '{BAD[name]}'"
    for make in (extract_folder, extract_all):
        with pytest.raises(ValueError, match=f"name of an encoder is .*{said}"):
            make(files, {name: encoder()}, name="x", folder=place)
        with pytest.raises(ValueError, match=f"^name is .*{said}"):
            make(files, {"mine": encoder()}, name=name, folder=place)
    if name.strip():  # an encoder may be called so, but not a pool by that
        with pytest.raises(ValueError, match=said):
            extract(files, encoder(name), folder=place, name="x")
    else:
        with pytest.raises(ValueError, match="give a name for what is known of the vectors"):
            encoder(name)
    assert not place.exists()
    assert not (tmp_path / "up").exists()


@pytest.mark.parametrize("name", [None, 7, ["a"]])
def test_a_name_is_a_text(name, album, tmp_path):
    with pytest.raises(ValueError, match="such as 'mine'"):
        extract_folder(open_folder(album), {"mine": encoder()}, name=name, folder=tmp_path)


def test_the_key_names_the_pool_and_the_encoders_own_name_is_told_of_it(album, tmp_path):
    given = {"facebook-dinov2 ü": encoder("facebook/dinov2")}
    pools = extract_folder(open_folder(album), given, name="my photos", folder=tmp_path, workers=0)
    pool = pools["facebook-dinov2 ü"]["embedding"]
    assert pool.name == "my photos-facebook-dinov2 ü-embedding"
    assert pool.provenance["encoder"] == "facebook/dinov2"
