"""`elsa-nb label FOLDER`: its options, and what they become: the vectors of a folder, a session, a page."""

import argparse

from elsa_nb.arguments import Parser, maybe_nothing, typed_path, typed_share
from elsa_nb.label.folder_options import FOLDER_MODES
from elsa_nb.label.labels_command import READING, declare_reading

_OF_THE_JOB = ("encoder", "pool", "session", "name", "like", "text", "strict", "seeds", "labels", "annotator")
_OF_THE_JOB += ("audit", "strategy", "budget", "target", "metric")


def declare_label(parser: Parser) -> None:
    """Declare the options of `elsa-nb label` on `parser`."""
    folder, file = ({"type": typed_path, "metavar": what} for what in ("FOLDER", "FILE"))
    parser.add_argument("folder", **folder, help="the images, including those in folders below it")
    what = "take these vectors of the images (`elsa-nb embed` prints where they are)"
    parser.add_argument("--pool", **folder, help=what)
    parser.add_argument(
        "--encoder",
        action="append",
        metavar="NAME",
        help="what makes the vectors: one that `elsa-nb encoders` lists, or the path of weights of your own; given "
        "twice, the search uses both, which saves labels where one is weak",
    )
    parser.add_argument("--strict", action="store_true", help="stop at an image that cannot be read (else: left out)")
    what = "the file that gets the answers (default: by FOLDER's name and place, here)"
    parser.add_argument("--session", **file, help=what)
    what = "search from this file, an example; a pattern is shown first"
    parser.add_argument("--name", action="append", default=[], **file, help=what)
    parser.add_argument(
        "--like", action="append", default=[], **file, help="start from what looks like this image file"
    )
    parser.add_argument("--text", help='start from what fits these words (in English), such as "a red fox"')
    parser.add_argument("--seeds", **file, help="start from the images that this list names as examples")
    parser.add_argument("--labels", **file, help="take earlier labels over, from a table or a labelling program")
    declare_reading(parser.add_argument_group("what the file of --labels means"))
    parser.add_argument(
        "--strategy",
        help="how it searches: harvest, greedy-probe, elsa ... (default: as the session began, or harvest)",
    )
    parser.add_argument(
        "--budget", type=int, metavar="N", help="the largest number of images to ask about (default: all)"
    )
    parser.add_argument(
        "--target",
        type=typed_share,
        metavar="SHARE",
        help="say when about this share of the class is found, such as 0.9",
    )
    parser.add_argument("--metric", help="what counts as alike: cosine (direction) or euclidean (distance)")
    parser.add_argument(
        "--audit",
        action="store_true",
        help="after the search: look over random images, and learn which share is found at least",
    )
    parser.add_argument("--annotator", default="me", help="your name in the file (default: me)")
    parser.add_argument("--ip", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument(
        "--token",
        type=maybe_nothing,
        help="'' for none, on this machine only (default: ELSA_LABEL_TOKEN, or a random one)",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.declare_modes(**{name: only for name, only in FOLDER_MODES.items() if name != "page"})


def label_command(options: argparse.Namespace) -> None:
    """Serve the page of a folder until it is stopped; SystemExit where the server fails, and what `prepare` raises."""
    from elsa_nb import own_folder
    from elsa_nb.label import launch

    if options.token:
        raise ValueError(
            "a token in a command can be read by everybody on this machine: export ELSA_LABEL_TOKEN=... instead, or "
            "leave it out for a random one"
        )
    reading = {key: value for key in READING if (value := getattr(options, key)) is not None}
    address = {"ip": options.ip, "port": options.port, "token": options.token}
    launch.check_address(**address)
    job = own_folder.prepare(options.folder, reading=reading, **{key: getattr(options, key) for key in _OF_THE_JOB})
    if launch.launch(job, **address, browser=not options.no_browser):
        raise SystemExit(1)
