"""The two readings of the paper, its text and its released code, and the arms of each, as configurations.

Start reading at `READINGS`: sweeps look configurations up there by reading and arm.
"""

from dataclasses import replace

from elsa_nb.search.config import ELSA, SearchConfig
from elsa_nb.search.heads.head import HeadConfig

RELEASED_CODE = replace(
    ELSA,
    nn_queries="last neighbours",
    rands="sampled points",
    head=HeadConfig("linear-sgd", steps=100, least_positives=4),
    final_head=HeadConfig("linear-sgd", steps=1000, least_positives=4),
    head_space="embedding",
    b_floor=False,
    zero_pass=True,
    relabel=True,
)


def arms(elsa: SearchConfig) -> dict[str, SearchConfig]:
    """Return the four arms of Tables 1, 3 and 4 of one reading: what each leaves out of ELSA."""
    nearest = replace(elsa, use_rands=False, use_head=False, use_final=False)
    return {
        "ELSA": elsa,
        "No Active": replace(elsa, use_head=False),
        "NN": nearest,
        "NN.Large": replace(nearest, a=2 * elsa.a),
    }


READINGS = {"paper": arms(ELSA), "released-code": arms(RELEASED_CODE)}
