"""Hugging Face's data sets: their bytes, their classes; and one sentence where the library is not installed."""

import sys

import photographs
import pytest

from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.sources.hugging_face import open_hugging_face


def test_without_the_library_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingDataError, match="pip install datasets"):
        open_hugging_face("food101")


def test_a_data_set_in_memory(tmp_path):
    import datasets

    files = [photographs.encoded(photographs.scene(i)) for i in range(4)]
    (tmp_path / "3.jpg").write_bytes(files[3])
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    told = [{"bytes": data, "path": None} for data in files[:3]] + [{"bytes": None, "path": str(tmp_path / "3.jpg")}]
    table = datasets.Dataset.from_dict({"image": told, "label": [1, 0, -1, 1]}, features=features)
    source = open_hugging_face(table, name="pets")
    assert [source.read(i) for i in range(4)] == files
    assert source.labels["name"].tolist()[:2] == ["dog", "cat"]
    assert source.class_rows("dog").tolist() == [0, 3]
    assert source.targets[2] == -1
    assert source.ids[3] == "pets-000003"
    assert Crops(source, CropGeometry(24, 20), workers=0).images().shape == (4, 3, 20, 20)
    assert open_hugging_face(table, name="pets").sha256 == source.sha256
    assert open_hugging_face(table.select([0, 1]), label=None).sha256 != source.sha256
    with pytest.raises(ValueError, match="column 'img' is not in 'pets'; it has image, label"):
        open_hugging_face(table, name="pets", image="img")


def test_labels_that_are_words(tmp_path):
    import datasets

    data = photographs.encoded(photographs.scene())
    table = datasets.Dataset.from_dict({"image": [{"bytes": data, "path": None}] * 2, "label": ["b", "a"]})
    assert open_hugging_face(table.cast_column("image", datasets.Image())).labels["name"].tolist() == ["b", "a"]
