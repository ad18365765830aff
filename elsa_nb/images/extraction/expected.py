"""Which vectors a profile's encoder would give, identified by their recipe, without computing any.

A stored search is valid for the recipes of the pools that it was made in. `elsa_nb.paper.runs.place` asks here about
pools that are not there, so that stored results are read without minutes of extraction.
"""

from functools import lru_cache

from elsa_nb.images.encoders.by_name import load_encoder
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.extract import provenance_of, recipe_of
from elsa_nb.images.extraction.forward import device_and_precision
from elsa_nb.images.sources.by_name import open_dataset
from elsa_nb.profiles import profile


@lru_cache(maxsize=64)  # weights are read for their checksum
def expected_recipe(profile_name: str, encoder: str, space: str, dataset: str) -> str:
    """Return the recipe of the pool that `embed_profile` would make now of `dataset`, with its defaults.

    Raises ValueError for an encoder that the profile does not have, MissingDataError for images or weights that are
    not here.
    """
    chosen = profile(profile_name)
    encoders = {name: weights for each in chosen.datasets if each.name == dataset for name, weights in each.encoders}
    if encoder not in encoders:
        allowed = ", ".join(encoders) or f"none: it has no data set {dataset!r}"
        raise ValueError(f"profile {profile_name!r} has no encoder {encoder!r}; allowed: {allowed}.")
    source, loaded = open_dataset(dataset), load_encoder(encoders[encoder])
    geometry = getattr(loaded, "geometry", None)
    view = source if geometry is None else Crops(source, geometry, workers=0)
    _, precision = device_and_precision(None)
    return recipe_of(provenance_of(view, loaded, "float16", precision), space)
