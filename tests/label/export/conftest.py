"""A session with four answers, and the files that they are about."""

import pytest
from four_answers import LABELS

from elsa_nb.label.answers import Answer
from elsa_nb.label.session import Session


@pytest.fixture
def session(tmp_path):
    session = Session(tmp_path / "cats.sqlite", annotator="ann", code="c0de")
    session.acquire()
    for position, (item, label) in enumerate(LABELS.items()):
        session.write([Answer(item, -2, label, position=position, row=position, round=0, component="NN", score=None)])
    yield session
    session.close()


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    for item in LABELS:
        (images / item).parent.mkdir(parents=True, exist_ok=True)
        (images / item).write_bytes(item.encode())
    return images
