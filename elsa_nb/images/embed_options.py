"""The options of `elsa-nb embed`, declared apart from what it does, so that other commands start without PyTorch."""

import argparse


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `elsa-nb embed`."""
    parser.add_argument("--profile", default="quick", help="make all pools of this profile (default: quick)")
    parser.add_argument(
        "--encoder",
        action="append",
        default=[],
        metavar="NAME",
        help="only this one, by its name in the profile; for a folder: official:vicreg, torchvision:resnet50, "
        "timm:vit_small_patch14_dinov2.lvd142m ...; may be repeated",
    )
    parser.add_argument("--images", metavar="FOLDER", help="embed a folder of your own images instead of a profile")
    parser.add_argument("--name", help="what the pools of that folder are called (default: as the folder)")
    parser.add_argument("--batch", type=int, help="images at once (default: 512; 32 of 224 pixels on a CPU)")
    parser.add_argument("--workers", type=int, help="processes that decode (default: one a core)")
    parser.add_argument("--dtype", default="float16", help="how vectors are stored: float16 (default) or float32")
    parser.add_argument("--precision", help="how they are computed: float32, float16, bfloat16 (default: by device)")
    parser.add_argument("--resizer", default="torch", help="torch (default) or pillow (the reference, slower)")
    parser.add_argument("--skip-broken", action="store_true", help="leave broken images out, and count them")
    parser.add_argument(
        "--check-precision",
        action="store_true",
        help="afterwards, compare neighbours in the stored vectors with those of float32",
    )
