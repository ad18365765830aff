"""Encoders that know words: open_clip's own preparation and vectors, and the pages that a text begins with."""

import json

import numpy as np
import open_clip
import photographs
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2

from elsa_nb import own_folder
from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders import by_name, hub
from elsa_nb.images.encoders.open_clip_models import load_open_clip


@pytest.fixture(scope="module", autouse=True)
def tiny(tmp_path_factory):
    """Make a model of open_clip with random weights known as `tiny-words`."""
    vision = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
    text = {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
    path = tmp_path_factory.mktemp("clip") / "tiny-words.json"
    path.write_text(json.dumps({"embed_dim": 8, "vision_cfg": vision, "text_cfg": text}))
    open_clip.add_model_config(path)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return load_open_clip("tiny-words", pretrained=False)


def test_images_and_texts_are_prepared_as_open_clip_prepares_them(encoder):
    picture = photographs.scene(1, 60, 40)
    transform = image_transform_v2(PreprocessCfg(**encoder.network.visual.preprocess_cfg), is_train=False)
    pixels = encoder.prepare(torch.from_numpy(encoder.geometry.apply(picture, "pillow").copy())[None])
    torch.testing.assert_close(pixels[0], transform(picture))
    with torch.inference_mode():
        torch.testing.assert_close(encoder(pixels)[0], encoder.network.encode_image(transform(picture)[None]))
        expected = encoder.network.encode_text(open_clip.get_tokenizer("tiny-words")(["a red fox"]))
    np.testing.assert_array_equal(encoder.encode_text(["a red fox"]), expected.numpy())
    assert encoder.dimensions == {"embedding": 8}


def test_a_search_begins_with_what_fits_the_words(encoder, data, album, monkeypatch):
    monkeypatch.setattr(by_name, "load_open_clip", lambda name: encoder)
    monkeypatch.chdir(album.parent)
    job = own_folder.prepare(album, text="cats")
    vectors = np.load(f"{job.pool}/vectors.npy").astype(np.float32)
    cosine = vectors @ encoder.encode_text(["cats"])[0] / np.linalg.norm(vectors, axis=1)
    assert job.samples[0] == np.argsort(-cosine).tolist()
    assert "open_clip-ViT-B-32" in job.pool


def test_an_encoder_without_words_says_so(data, album, monkeypatch):
    monkeypatch.chdir(album.parent)
    with pytest.raises(
        ValueError,
        match=r"efficientnet-lite0 knows no words, so nothing can be found by a text; open_clip:ViT-B-32/.* does",
    ):
        own_folder.prepare(album, text="cats", encoder="efficientnet-lite0")


def test_names_and_weights_that_are_not_there_are_one_sentence(monkeypatch):
    with pytest.raises(ValueError, match="open_clip has no model 'ViT-Z'"):
        load_open_clip("ViT-Z/openai")
    with pytest.raises(ValueError, match="weights 'mine' of RN50 are not known; allowed: openai"):
        load_open_clip("RN50/mine")
    monkeypatch.setattr(hub, "cached_file", lambda place, names: None)
    monkeypatch.setattr(hub, "reachable", lambda: False)
    with pytest.raises(MissingDataError, match="the model hub cannot be reached now"):
        load_open_clip("ViT-B-32/datacomp_xl_s13b_b90k")
