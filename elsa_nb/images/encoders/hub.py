"""Where the weights of timm and open_clip come from: the user's cache of the model hub, or the hub itself.

The loaders ask before they load, so that without a connection the user is told in a moment: the hub's own client tries
for most of a minute.
"""

import urllib.error
import urllib.request
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

SECONDS = 5  # after which a hub that does not answer counts as out of reach
TIMM_FILES = ("model.safetensors", "pytorch_model.bin")
OPEN_CLIP_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def cached_weights(model: str) -> Path | None:
    """Return the file of a timm model's weights in the user's cache; None where there is none."""
    import timm

    place = getattr(timm.get_pretrained_cfg(model, allow_unregistered=True), "hf_hub_id", None)
    return cached_file(place, TIMM_FILES) if place else None


def cached_file(place: str, names: Sequence[str]) -> Path | None:
    """Return the first of the files `names` of the repository `place` that is in the user's cache; None if none is."""
    from huggingface_hub import try_to_load_from_cache

    paths = (try_to_load_from_cache(place, name) for name in names)
    return next((Path(path) for path in paths if isinstance(path, str)), None)


@lru_cache(maxsize=1)
def reachable() -> bool:
    """Say whether the model hub answers (asked once per process); False where HF_HUB_OFFLINE says not to ask."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    question = urllib.request.Request(constants.ENDPOINT, method="HEAD", headers={"User-Agent": "elsa_nb"})
    try:
        with urllib.request.urlopen(question, timeout=SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code not in (403, 407)  # it answered; those two are a gate that refuses
    except OSError:
        return False
