"""Extraction: what writing pools costs on top of the forward pass, what decoding costs per core, and a GPU's rate.

`OMP_NUM_THREADS=1 python -m benchmarks.bench_extraction [--quick]` prints the figures as JSON. Images are synthetic:
smoothed noise of 500x375 pixels, in files about as large as ImageNet's (110 kB).
"""

import argparse
import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import nn

from benchmarks.timing import median, processor_in_turns, seconds
from elsa_nb.images.encoders.preprocessing import IMAGENET_GEOMETRY
from elsa_nb.images.encoders.published import official
from elsa_nb.images.encoders.published_networks import Pretrained
from elsa_nb.images.encoders.resnet50 import ResNet50
from elsa_nb.images.encoders.small_resnet import load_trained
from elsa_nb.images.extraction.extract import extract_all
from elsa_nb.images.sources.decoding import open_rgb
from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.store import sha256_bytes

REFERENCES = {  # published rates of ResNet-50 at 224 pixels, images/s
    "H100 SXM, TensorRT, INT8, data resident (MLPerf Inference 4.0)": 88_714,
    "A100 SXM, TensorRT, INT8, data resident (MLPerf Inference 3.0)": 42_379,
    "RTX 5090, PyTorch 2.9, AMP, compiled (timm)": 12_401,
    "A100, MXNet, AMP, loading included (NVIDIA)": 8_241,
}


class Decoded:
    """Images in memory, ready for an encoder."""

    def __init__(self, pixels: np.ndarray):
        """Hold uint8 images (n, 3, side, side)."""
        self.pixels = pixels
        self.ids = np.array([f"noise-{i}" for i in range(len(pixels))])
        self.sha256 = sha256_bytes(pixels.tobytes())

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.pixels)

    def images(self, rows: np.ndarray) -> np.ndarray:
        """Return the images of `rows`."""
        return self.pixels[rows]


class Resident(Pretrained):
    """A ResNet-50 that takes images as they are: nothing is decoded or resized before it."""

    geometry = None


def photograph(seed: int = 0, width: int = 500, height: int = 375) -> bytes:
    """Return a JPEG file with as much detail as a photograph of ImageNet."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)).resize((width, height))
    fine = np.asarray(coarse, np.int16) + rng.normal(0, 12, (height, width, 1)).astype(np.int16)
    picture = Image.fromarray(fine.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.5))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=92)
    return stream.getvalue()


def resnet50(width: int = 64) -> Resident:
    """Return a ResNet-50 with random weights, as VICReg's backbone alone."""
    torch.manual_seed(0)
    return Resident(official("vicreg"), ResNet50(width), None, "random").eval().requires_grad_(False)


def bare(encoder: nn.Module, pixels: np.ndarray, batch: int) -> None:
    """Compute all vectors in float32 on the CPU, and drop them: nothing is read, checked or written."""
    encoder.to(memory_format=torch.channels_last)
    for first in range(0, len(pixels), batch):
        images = torch.from_numpy(pixels[first : first + batch])
        with torch.inference_mode():
            prepared = encoder.prepare(images) if hasattr(encoder, "prepare") else images[:, None].float().div_(255)
            encoder(prepared.contiguous(memory_format=torch.channels_last))


def against_the_bare_forward(encoder: nn.Module, pixels: np.ndarray, batch: int, repeats: int) -> dict[str, float]:
    """Time an extraction of decoded images, written and checked, against the bare forward pass: images/s of one core.

    Use one thread (OMP_NUM_THREADS=1): processor seconds of several add up.
    """
    source = Decoded(pixels)

    def extraction() -> None:
        with tempfile.TemporaryDirectory() as folder:
            told = {"name": "bench", "folder": Path(folder), "batch": batch, "progress": False, "compiled": False}
            extract_all(source, {"encoder": encoder}, precision="float32", **told)

    bare(encoder, pixels[:batch], batch)
    taken = processor_in_turns({"bare": lambda: bare(encoder, pixels, batch), "extraction": extraction}, repeats)
    rates = {name: len(pixels) / median(times) for name, times in taken.items()}
    pairs = [b / e for b, e in zip(taken["bare"], taken["extraction"], strict=True)]
    return {**{f"{k}_images_per_s": round(v, 1) for k, v in rates.items()}, "share_of_bare": round(median(pairs), 3)}


def decoding(images: int) -> dict[str, float]:
    """Time reading a photograph and bringing it to 224x224 on one core, for both resizers: images/s."""
    files = [photograph(seed) for seed in range(8)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def run(resizer: str | None) -> None:
        for i in range(images):
            picture = open_rgb(files[i % len(files)], "photograph")
            if resizer:
                IMAGENET_GEOMETRY.apply(picture, resizer)

    tasks = {name: (lambda name=name: run(name)) for name in ("torch", "pillow")} | {"decode_only": lambda: run(None)}
    taken = processor_in_turns(tasks, 5)
    torch.set_num_threads(threads)
    rates = {f"{name}_images_per_s_per_core": round(images / median(times)) for name, times in taken.items()}
    return {**rates, "bytes_per_file": round(float(np.mean([len(file) for file in files])))}


def on_a_gpu(batch: int = 512, batches: int = 60) -> dict[str, object] | str:
    """Time compiled extraction from images in memory in float16 and bfloat16; "not measured" without a GPU."""
    if not torch.cuda.is_available():
        return "not measured: no GPU at hand"
    pixels = np.random.default_rng(0).integers(0, 256, (batch * batches, 3, 224, 224), np.uint8)
    encoder, rates = resnet50(), {}
    for precision in ("float16", "bfloat16"):

        def run(images: np.ndarray, precision: str = precision) -> None:
            with tempfile.TemporaryDirectory() as folder:
                told = {"name": "bench", "folder": Path(folder), "batch": batch, "progress": False}
                extract_all(Decoded(images), {"encoder": encoder}, precision=precision, **told)

        run(pixels[: 2 * batch])  # compiles
        rates[precision] = round(len(pixels) / seconds(lambda run=run: run(pixels)))
    return {"device": torch.cuda.get_device_name(), "images_per_s": rates, "references": REFERENCES}


def measure(quick: bool = False) -> dict[str, object]:
    """Return all figures; `quick` computes fewer images."""
    noise = np.random.default_rng(0).integers(0, 256, (16 if quick else 96, 3, 224, 224), np.uint8)
    glyphs = Glyphs.open().images(np.arange(1024 if quick else 8192))
    return {
        "threads": torch.get_num_threads(),
        "resnet50_224px": against_the_bare_forward(resnet50(), noise, 16, 1 if quick else 5),
        "bundled_encoder_glyphs": against_the_bare_forward(load_trained("vicreg"), glyphs, 512, 1 if quick else 5),
        "decoding_500x375": decoding(16 if quick else 200),
        "gpu": on_a_gpu(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer images: whether it runs, not how fast")
    options = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):  # what extraction says of its pools
        figures = measure(options.quick)
    print(json.dumps(figures, indent=1))
