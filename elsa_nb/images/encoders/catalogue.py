"""What `elsa-nb encoders` prints and downloads: the published encoders, their licences, and which are here."""

from collections.abc import Sequence

from elsa_nb import store
from elsa_nb.images.downloads import download
from elsa_nb.images.encoders.published import OFFICIAL, checkpoint_path, describe, official

_HEAD = ("encoder", "file here", "epochs", "top-1", "paper", "licence")


def encoder_table() -> str:
    """Return the list of the published encoders as text, a line each, with the notes that belong to them below."""
    rows = [_HEAD]
    notes = []
    for spec in OFFICIAL.values():
        path = checkpoint_path(spec)
        here = f"{path.stat().st_size / 1e6:,.0f} MB" if path.exists() else "no"
        rows.append((spec.name, here, str(spec.epochs), str(spec.top1), str(spec.paper_top1), spec.licence))
        notes += [f"  {spec.name}: {spec.note}."] if spec.note else []
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(
        [
            *lines,
            "",
            "top-1: linear probe on ImageNet, as each method publishes it for this file; paper: as its Table 5 prints.",
            *notes,
            f"`elsa-nb encoders get NAME` downloads to {checkpoint_path(spec).parent}.",
            f"Bundled or trained here: {', '.join(encoders_here()) or 'none'}. Also any model by name: "
            "timm:vit_small_patch14_dinov2.lvd142m (needs timm), torchvision:resnet50.",
        ]
    )


def encoders_here() -> list[str]:
    """Return the names of the encoders in `data/weights`."""
    return sorted(path.stem for path in (store.DATA / "weights").glob("*.safetensors"))


def download_encoders(names: Sequence[str], progress: bool | None = None) -> None:
    """Download the encoders `names` ("all": all eight) that are not here, saying of each under which licence."""
    if not names:
        raise ValueError(f"name the encoders to download: all, or some of {', '.join(OFFICIAL)}.")
    for spec in [official(name) for name in (OFFICIAL if list(names) == ["all"] else names)]:
        print(describe(spec), flush=True)
        path = checkpoint_path(spec)
        card = {"name": spec.name, "licence": spec.licence}
        download(spec.url, path, md5=spec.md5, card=card, progress=progress)
        print(f"{spec.name}: {path}, {path.stat().st_size:,} bytes")
