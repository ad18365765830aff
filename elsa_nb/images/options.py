"""The options of `elsa-nb embed` and `elsa-nb train`, apart from what they do: declared without importing torch."""

import argparse
from collections.abc import Mapping
from typing import Any

from elsa_nb.arguments import Parser, typed_path
from elsa_nb.option_rules import Only


def declare_embed(parser: Parser) -> None:
    """Declare the options of `elsa-nb embed` on `parser`."""
    parser.set_defaults(images=None)  # before both of its arguments: set after them, it would be their default, too
    own = parser.add_mutually_exclusive_group()
    what = "embed a folder of your own images instead of a profile"
    folder = {"type": typed_path, "metavar": "FOLDER", "default": argparse.SUPPRESS}
    own.add_argument("images", nargs="?", **folder, help=what)
    own.add_argument("--images", **folder, help="the same")
    parser.add_argument("--profile", default="quick", help="make all pools of this profile (default: quick)")
    parser.add_argument(
        "--encoder",
        action="append",
        default=[],
        metavar="NAME",
        help="only this one, by its name in the profile; for a folder, one that `elsa-nb encoders` lists, or the "
        "path of weights of your own (default: the best that is here or can be fetched); may be repeated",
    )
    parser.add_argument("--name", help="what the pools of that folder are called (default: its name and place)")
    parser.add_argument("--batch", type=int, help="images at once (default: 512; 32 of 224 pixels on a CPU)")
    parser.add_argument("--workers", type=int, help="processes that decode; 0: only this one (default: one per core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="embed a folder on this cluster (tcp://host:8786)")
    parser.add_argument("--dtype", default="float16", help="how vectors are stored: float16 (default) or float32")
    parser.add_argument("--precision", help="how they are computed: float32, float16, bfloat16 (default: by device)")
    parser.add_argument("--resizer", default="torch", help="torch (default) or pillow (the reference, slower)")
    broken = parser.add_mutually_exclusive_group()
    skipping = "leave out images that cannot be read, and count them (for a folder this is always done)"
    broken.add_argument("--skip-broken", action="store_true", help=skipping)
    broken.add_argument("--strict", action="store_true", help="stop at the first image of a folder that cannot be read")
    parser.add_argument(
        "--check-precision",
        action="store_true",
        help="afterwards, compare neighbours in the stored vectors with those of float32",
    )
    # Of the two options about broken images, each is accepted where it only says what is done anyway.
    of_folder = Only("with a folder of images", lambda given: given["images"] is not None)
    of_profile = Only("without a folder of images", lambda given: given["images"] is None)
    here = Only("without {dask}", lambda given: given["dask"] is None)
    parser.declare_modes(profile=of_profile, name=of_folder, dask=of_folder, workers=here)


def declare_train(parser: Parser) -> None:
    """Declare the options of `elsa-nb train` on `parser`."""
    parser.add_argument(
        "--method", required=True, help="vicreg, barlow-twins, moco-v1, moco-v2, simsiam, swav, swav-multicrop, obow"
    )
    data = "glyphs (default), a data set of a profile (tiny-imagenet, food-101, ...), or a pack in ELSA_DATA"
    parser.add_argument("--data", default="glyphs", help=data)
    what = "the weights file; default: in data/weights, where the profiles look"
    parser.add_argument("--out", type=typed_path, metavar="FILE", help=what)
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--batch", type=int, help="default: the recipe's")
    seed = "of all random draws (default: 0); other seeds are part of the weights' name"
    parser.add_argument("--seed", type=int, default=0, help=seed)
    precision = "of convolutions; float32 is faster where the processor has no bfloat16 (default: bfloat16)"
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16", help=precision)
    variants = "views of photographs: as in the official codes (default), or as in VICReg's paper"
    parser.add_argument("--variant", choices=("asymmetric", "symmetric"), default="asymmetric", help=variants)
    official = "the published recipe: ResNet-50, 224 pixels, hundreds of epochs; needs GPUs (torchrun)"
    parser.add_argument("--official", action="store_true", help=official)
    told = "for {data} of photographs, and with {official} for the methods vicreg and barlow-twins"
    parser.declare_modes(variant=Only(told, _has_variants))


def _has_variants(given: Mapping[str, Any]) -> bool:
    """Whether the chosen recipe has variants of its views: see `recipes`."""
    return given["data"] != "glyphs" and (not given["official"] or given["method"] in ("vicreg", "barlow-twins"))
