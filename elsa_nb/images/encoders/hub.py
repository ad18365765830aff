"""Where timm's weights come from: the user's cache of the model hub, or the hub itself where it can be reached.

`libraries.load_timm` asks before it loads, so that a machine without a connection hears of it in a moment: the hub's
own client tries for most of a minute.
"""

import urllib.error
import urllib.request
from functools import lru_cache
from pathlib import Path

SECONDS = 5  # without an answer, and the hub counts as out of reach
_FILES = ("model.safetensors", "pytorch_model.bin")


def cached_weights(model: str) -> Path | None:
    """Return the file of a timm model's weights in the user's cache; None where there is none."""
    import timm
    from huggingface_hub import try_to_load_from_cache

    place = getattr(timm.get_pretrained_cfg(model, allow_unregistered=True), "hf_hub_id", None)
    for file in _FILES if place else ():
        path = try_to_load_from_cache(place, file)
        if isinstance(path, str):
            return Path(path)
    return None


@lru_cache(maxsize=1)
def reachable() -> bool:
    """Say whether the model hub answers (asked once a process); no, where HF_HUB_OFFLINE says not to ask."""
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
