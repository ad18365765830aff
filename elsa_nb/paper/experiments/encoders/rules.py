"""How the question of section 6.3, the embedding or the projection, is judged; the catalogue collects the rule.

That linear top-1 tells which encoder to search with is judged nowhere: the paper prints the column and claims nothing.
"""

from elsa_nb.paper.measures.intervals import (
    encoder_title,
    in_most_classes,
    paired,
    searches_by_encoder,
    searches_of_arm,
)
from elsa_nb.paper.measures.medians import RATES
from elsa_nb.paper.measures.printed import printed_value
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule

BOTH_SPACES = ("vicreg", "barlow-twins")  # searched in their projection, too
NO_HARM = 0.9  # of what is found, and of the efficiency, in the projection


def _printed() -> list[RuleTest]:
    tests = []
    for encoder in BOTH_SPACES:
        for metric, called in RATES.items():
            times = printed_value(5, metric, encoder=encoder) / printed_value(2, metric, encoder=encoder, seeds="5")
            says = f"{encoder_title(encoder)}, {called} embedding / projection: {times:.2f}"
            tests.append(RuleTest(says, times >= NO_HARM))
    return tests


@rule(
    "embedding-space",
    "5 seeds, VICReg and Barlow Twins, paired: discovery and efficiency in the embedding are at least 0.9 of those in "
    "the projection",
    printed=_printed,
)
def _embedding_space(frames: Frames, numbers: Numbers) -> list[RuleTest] | str:
    embedding = frames["encoders"]
    embedding = embedding[embedding["encoder"].isin(BOTH_SPACES)]
    projection = searches_of_arm(frames["components"])
    projection = projection[projection["encoder"].isin(embedding["encoder"])]
    if embedding.empty:
        return "neither encoder was searched in both spaces"
    projection_of = dict(searches_by_encoder(projection))
    return [
        in_most_classes(
            f"{encoder}, {called} embedding / projection",
            *paired(runs, projection_of[encoder], metric, ratio=True),
            "at least",
            NO_HARM,
        )
        for encoder, runs in searches_by_encoder(embedding)
        for metric, called in RATES.items()
    ]
