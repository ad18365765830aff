"""A data folder of one's own, synthetic files of published encoders in it, and a folder of photographs."""

import miniature
import photographs
import pytest

from elsa_nb import store
from elsa_nb.images.encoders.published import OFFICIAL, checkpoint_path


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "DATA", tmp_path / "data")
    monkeypatch.setenv("ELSA_PROGRESS", "0")
    return tmp_path / "data"


@pytest.fixture
def album(tmp_path):
    for i in range(7):
        photographs.write(
            tmp_path / "my album" / f"{'cats' if i < 3 else 'dogs'}/{i}.jpg", photographs.encoded(photographs.scene(i))
        )
    return tmp_path / "my album"


@pytest.fixture
def synthetic(data):
    """Put a synthetic file of the published format where a downloaded one would be."""
    for name in ("vicreg", "obow"):
        path = checkpoint_path(OFFICIAL[name])
        photographs.write(path, miniature.published(name))
    return data
