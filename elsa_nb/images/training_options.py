"""The options of `elsa-nb train`, apart from the code that trains, so that the command line starts without torch."""

import argparse
from pathlib import Path


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument(
        "--method", required=True, help="vicreg, barlow-twins, moco-v1, moco-v2, simsiam, swav, swav-multicrop"
    )
    data = "glyphs (default), a data set of a profile (tiny-imagenet, food-101, ...), or a pack in ELSA_DATA"
    parser.add_argument("--data", default="glyphs", help=data)
    parser.add_argument("--out", type=Path, help="the weights file; default: in data/weights, where the profiles look")
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--batch", type=int, help="default: the recipe's")
    variants = "views of photographs: as in the official codes (default), or as in VICReg's paper"
    parser.add_argument("--variant", choices=("asymmetric", "symmetric"), default="asymmetric", help=variants)
    official = "the published recipe: ResNet-50, 224 pixels, hundreds of epochs; wants GPUs (torchrun)"
    parser.add_argument("--official", action="store_true", help=official)
