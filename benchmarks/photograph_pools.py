"""The pools of photographs that no profile has, in the spaces of the encoder that needs no connection.

    ELSA_DATA=FOLDER python -m benchmarks.photograph_pools      # 125,000 photographs: half an hour on two cores

EfficientNet-Lite0 learned the 1,000 classes of ImageNet from labels, and Tiny-ImageNet's 200 are among them: results
in this pool say how searchers compare, not how an encoder does on classes it never saw. Food-101 in the same
space, of whose dishes all but a handful were not in that training, is a pool of profile `photos`
(`elsa-nb embed --profile photos --encoder efficientnet-lite0`). Both are made with the stages before the last layer as
well (`efficientnet-lite0-stages`), to see what these add.

The photographs, which the pack holds at 64 pixels, are taken at 96. What was interrupted goes on.
"""

from elsa_nb.images.encoders.by_name import load_encoder
from elsa_nb.images.encoders.names import FALLBACK, LAST_LAYER
from elsa_nb.images.extraction.extract import extract_all
from elsa_nb.images.sources.by_name import open_dataset

POOLS = {"tiny-imagenet": (LAST_LAYER, FALLBACK), "food-101-64px": (FALLBACK,)}


def main() -> None:
    """Make the pools."""
    for dataset, encoders in POOLS.items():
        extract_all(open_dataset(dataset), {name: load_encoder(f"{name}@96") for name in encoders}, name=dataset)


if __name__ == "__main__":
    main()
