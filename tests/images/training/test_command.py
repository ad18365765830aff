"""From images to a weights file with a card that tells the truth, alone and with torchrun."""

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from elsa_nb.arguments import Parser
from elsa_nb.errors import BusyError, CorruptFileError
from elsa_nb.images.encoders.small_resnet import load_trained
from elsa_nb.images.options import declare_train
from elsa_nb.images.sources.by_name import DATASETS
from elsa_nb.images.training import command
from elsa_nb.images.training.batches import batch_rows, training_batches
from elsa_nb.images.training.recipes import photo_recipe
from elsa_nb.locks import Lock
from elsa_nb.store import read_json, sha256_file, write_json


class Colours:
    """Images whose class is their colour: what a network keeps even untrained."""

    def __init__(self, n=120):
        rng = np.random.default_rng(0)
        self.targets = np.arange(n) % 4
        paint = np.array([[220, 30, 30], [30, 220, 30], [30, 30, 220], [220, 220, 30]])[self.targets]
        noise = rng.integers(-30, 30, size=(n, 3, 64, 64))
        self.pixels = np.clip(paint[:, :, None, None] + noise, 0, 255).astype(np.uint8)
        self.ids, self.sha256 = np.array([f"c-{i}" for i in range(n)]), "5" * 64

    def __len__(self):
        return len(self.pixels)

    def images(self, rows=None):
        return self.pixels if rows is None else self.pixels[rows]


def config_of(**changes):
    base = photo_recipe("vicreg", epochs=2)
    # Widths are multiples of 8: see test_methods.
    architecture = replace(base.architecture, widths=(8, 8), blocks=(1, 1), projector=(8, 8, 6))
    views = tuple(replace(view, side=16) for view in base.views)
    return replace(base, architecture=architecture, views=views, batch=16, checkpoint_every=2, **changes)


def test_two_trainings_do_not_share_a_folder_at_once(tmp_path):
    """They would write one checkpoint in turns, and the second would miss it at its end, after hours."""
    source, out, work = Colours(), tmp_path / "colours.safetensors", tmp_path / "work"
    with (
        Lock(work / ".lock", "The training").acquire(),
        pytest.raises(BusyError, match=r"The training in .*work is being written by process"),
    ):
        command.train_encoder(source, source.targets, config_of(), out, command="told", work=work)
    assert not out.exists()
    assert not list(work.iterdir())


def test_weights_of_one_name_in_two_folders_are_trained_apart(tmp_path, monkeypatch):
    """They shared a checkpoint: the second was refused, or went on with the network of the first."""
    worked = []
    monkeypatch.setattr(command, "_train", lambda source, labels, config, out, work, *told: worked.append(work))
    monkeypatch.setattr(command.store, "DATA", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    for out in (tmp_path / "a" / "x.safetensors", Path("a/x.safetensors"), tmp_path / "b" / "x.safetensors"):
        command.train_encoder(Colours(8), np.zeros(8, int), config_of(), out, command="told")
    assert worked[0] == worked[1] != worked[2]
    assert {work.parent for work in worked} == {tmp_path / "data" / "cache" / "training"}


@pytest.mark.slow
def test_a_training_ends_in_weights_and_a_card(tmp_path):
    source = Colours()
    out = tmp_path / "colours.safetensors"
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / ".checkpoint.pt.abc.part").write_bytes(b"of a run that was killed")
    card = command.train_encoder(
        source, source.targets, config_of(), out, command="told", data="colours", work=tmp_path / "work"
    )
    written = read_json(out.with_suffix(".json"))
    assert written["sha256"] == sha256_file(out) == load_trained("colours", tmp_path).sha256
    told = {"steps": 14, "images": source.sha256, "data": "colours", "command": "told", "method": "vicreg"}
    assert {key: written[key] for key in told} == told
    assert card["quality"] == written["quality"]
    assert written["loss_curve"][-1]["step"] == 14
    assert [point["step"] for point in written["quality_curve"]] == [2, 4, 6, 8, 10, 12, 14]
    assert written["quality_curve"][-1]["purity_10nn"] > 0.9
    assert written["quality"]["embedding"]["purity_10nn"] > 0.9
    assert re.fullmatch("[0-9a-f]{64}", written["code"])
    assert "elsa_nb.images.training.train" in written["modules"]
    assert not (tmp_path / "work" / "checkpoint.pt").exists()
    assert not list((tmp_path / "work").glob(".*.part"))
    assert len((tmp_path / "work" / "log.jsonl").read_text().splitlines()) == 14
    with pytest.raises(ValueError, match="safetensors"):
        command.train_encoder(source, source.targets, config_of(), tmp_path / "a.pt", command="")


def test_a_run_that_goes_on_under_other_code_says_so(tmp_path):
    first = command.makers(tmp_path / "made-by.json")
    assert "began" not in first
    assert "began" not in command.makers(tmp_path / "made-by.json")
    write_json(tmp_path / "made-by.json", {**first, "code": "0" * 64})
    assert command.makers(tmp_path / "made-by.json")["began"]["code"] == "0" * 64


@pytest.mark.slow
def test_measuring_on_the_way_does_not_change_the_training(tmp_path, monkeypatch):
    source = Colours()
    seen = []
    for name, on_the_way in (("plain", False), ("measured", True)):
        if not on_the_way:
            monkeypatch.setattr(command.QualityCurve, "__call__", lambda *_: None)
        out = tmp_path / f"{name}.safetensors"
        command.train_encoder(source, source.targets, config_of(), out, command="", work=tmp_path / name)
        monkeypatch.undo()
        seen.append((tmp_path / name / "log.jsonl").read_text())
    assert seen[0] == seen[1]


@pytest.mark.slow
def test_large_pools_are_read_as_they_are_needed(tmp_path, monkeypatch):
    """The same losses, whether all images are in memory or each batch is fetched."""
    source, seen = Colours(), []
    for name, limit in (("memory", 1 << 30), ("fetched", 0)):
        monkeypatch.setattr(command, "IN_MEMORY", limit)
        out = tmp_path / f"{name}.safetensors"
        command.train_encoder(source, source.targets, config_of(), out, command="", work=tmp_path / name)
        seen.append((tmp_path / name / "log.jsonl").read_text())
    assert seen[0] == seen[1]


class Pictures(Colours):
    """The same, as files of many sizes."""

    images = property()  # no attribute of this name: pictures must be decoded and cropped

    def read(self, row):
        height, width = 40 + row % 30, 64
        pixels = self.pixels[row].transpose(1, 2, 0)
        stream = io.BytesIO()
        Image.fromarray(pixels).resize((width, height)).save(stream, "PNG")
        return stream.getvalue() if row != getattr(self, "damaged", None) else stream.getvalue()[:200]


@pytest.mark.slow
def test_pictures_of_any_size_are_cropped_whole_by_workers(tmp_path):
    """As for ImageNet: decoded ahead, each view cut from the whole picture, the same whatever step a run starts at."""
    source, config = Pictures(), config_of()
    from_start = list(training_batches(source, config, range(4)))
    for later, first in zip(training_batches(source, config, range(2, 4)), from_start[2:], strict=True):
        for one, other in zip(later, first, strict=True):
            assert torch.equal(one, other)
    assert [part.shape for part in from_start[0]] == [(16, 3, 16, 16)] * 2
    assert not torch.equal(*from_start[0])
    rows = batch_rows(len(source), config, 0)
    mean = from_start[0][0].float().mean(dim=(2, 3)).numpy()
    assert np.abs(mean - source.pixels[rows].mean(axis=(2, 3))).max() < 20  # the colours of the rows they belong to
    out = tmp_path / "pictures.safetensors"
    card = command.train_encoder(source, source.targets, config, out, command="", work=tmp_path / "work")
    assert card["steps"] == 14
    assert card["quality"]["embedding"]["purity_10nn"] > 0.9
    source.damaged = int(rows[3])
    with pytest.raises(CorruptFileError, match=f"c-{source.damaged} is broken"):
        next(training_batches(source, config, range(1)))


@pytest.mark.thorough
def test_torchrun_shares_a_batch_between_processes(tmp_path):
    """Two processes, one log and one file; the first loss is of 16 rows, so it is near that of one process."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "from test_command import Colours, config_of\n"
        "from elsa_nb.images.training.command import train_encoder\n"
        "source, folder = Colours(), Path(sys.argv[1])\n"
        "card = train_encoder(source, source.targets, config_of(precision='float32'), folder / 'a.safetensors',\n"
        "                     command='', work=folder / 'work')\n"
        "import torch.distributed as dist\n"
        "assert (card is None) == (dist.get_rank() == 1)\n"
        "dist.destroy_process_group()\n"
    )
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*torchrun, str(script), str(tmp_path)], check=True, capture_output=True, env=environment)
    lines = [json.loads(line) for line in (tmp_path / "work" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 15))
    source = Colours()
    out = tmp_path / "b.safetensors"
    command.train_encoder(source, source.targets, config_of(precision="float32"), out, command="", work=tmp_path / "b")
    alone = json.loads((tmp_path / "b" / "log.jsonl").read_text().splitlines()[0])
    assert lines[0]["loss"] == pytest.approx(alone["loss"], rel=0.05)
    assert load_trained("a", tmp_path).dimensions == {"embedding": 8, "projection": 6}


def parsed(*words):
    parser = Parser()
    declare_train(parser)
    return parser.parse_args(words)


def test_the_command_line_chooses_source_recipe_and_place(tmp_path, monkeypatch):
    asked = {}

    def record(source, labels, config, out, **others):
        asked.update(config=config, out=out, **others)

    monkeypatch.setattr(command, "train_encoder", record)
    command.train_command(parsed("--method", "moco-v2", "--epochs", "2"))
    assert asked["out"].name == "moco-v2.safetensors"
    assert asked["config"].epochs == 2
    assert asked["command"] == "elsa-nb train --method moco-v2 --data glyphs --epochs 2"
    assert asked["config"].precision == "bfloat16"
    command.train_command(parsed("--method", "moco-v2", "--precision", "float32"))
    assert asked["config"].precision == "float32"
    assert asked["command"] == "elsa-nb train --method moco-v2 --data glyphs --precision float32"
    assert (asked["out"].name, asked["config"].seed) == ("moco-v2.safetensors", 0)
    command.train_command(parsed("--method", "moco-v2", "--seed", "2"))
    assert (asked["out"].name, asked["config"].seed) == ("moco-v2-seed-2.safetensors", 2)
    assert asked["command"] == "elsa-nb train --method moco-v2 --data glyphs --seed 2"
    for wrong, said in (
        (("--seed", "-1"), "seed is -1"),
        (("--epochs", "0"), "'epochs': 0"),
        (("--batch", "0"), "'batch': 0"),
    ):
        with pytest.raises(ValueError, match=said):
            command.train_command(parsed("--method", "moco-v2", *wrong))
    for data, method in (("tiny-imagenet", "vicreg"), ("tiny-imagenet", "barlow-twins"), ("food-101-64px", "vicreg")):
        told = dict(DATASETS[data].encoders)[method]  # where the profile looks
        assert command.weights_name(data, method) == told
        assert command.weights_name(DATASETS[data].pack or data, method) == told
    assert command.weights_name("imagenet-1k", "vicreg") == "photos-vicreg-imagenet-1k"  # not `official:vicreg`
    with pytest.raises(ValueError, match="photographs"):
        command.train_command(parsed("--method", "vicreg", "--official"))
    with pytest.raises(ValueError, match="'byol'"):
        command.train_command(parsed("--method", "byol"))


def test_the_curve_in_a_card_is_thin_and_keeps_its_end():
    curve = [{"step": i} for i in range(1, 1001)]
    assert len(command.thinned_curve(curve)) <= 60
    assert command.thinned_curve(curve)[-1] == {"step": 1000}
    assert command.thinned_curve(curve[:5]) == curve[:5]
