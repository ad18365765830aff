"""The pool of photographs that no profile has: Tiny-ImageNet in the space of the encoder that needs no connection.

    ELSA_DATA=FOLDER python -m benchmarks.photograph_pools      # 50,000 photographs: half an hour on a core

EfficientNet-Lite0 learned the 1,000 classes of ImageNet from labels, and Tiny-ImageNet's 200 are among them: what is
found in this pool says how searchers compare, not how an encoder does on classes it never saw. Food-101 in the same
space, of whose dishes all but a handful were not in that training, is a pool of profile `photos`
(`elsa-nb embed --profile photos --encoder efficientnet-lite0`).

The photographs, which the pack holds at 64 pixels, are taken at 96. What was interrupted goes on.
"""

from elsa_nb.images.encoders.by_name import load_encoder
from elsa_nb.images.extraction.extract import extract_all
from elsa_nb.images.sources.by_name import open_dataset

DATASET, ENCODER = "tiny-imagenet", "efficientnet-lite0"


def main() -> None:
    """Make the pool."""
    extract_all(open_dataset(DATASET), {ENCODER: load_encoder(f"{ENCODER}@96")}, name=DATASET)


if __name__ == "__main__":
    main()
