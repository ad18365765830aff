"""How the claims of section 5 are tested, with each threshold in words; the catalogue collects the rules.

By the exponents fitted to the measurements (frame `complexity`); no search is needed.
"""

from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule

# O(n) bounds from above; caches and the sort's logarithm may lift a measured exponent by so much.
EXPONENT_TOLERANCE = 0.2

NOT_MEASURED = "the paper derives it and measures nothing"


@rule(
    "time",
    "plain form, each part: the fitted exponent of the time is at most 0.2 above the claimed one",
    printed=NOT_MEASURED,
)
def _time(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    return _exponents(frames, "seconds")


@rule(
    "memory",
    "plain form: the fitted exponent of the memory is at most 0.2 above the claimed one; at the paper's l = 50 the "
    "n x l matrix is larger than the vectors themselves (n x d)",
    printed=NOT_MEASURED,
)
def _memory(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    share = frames["complexity"]["matrix"].iloc[0]
    return [
        *_exponents(frames, "bytes"),
        RuleTest(f"the matrix takes {share:.2f} times what the vectors take", share > 1),
    ]


def _exponents(frames: Frames, of: str) -> list[RuleTest]:
    fitted = frames["complexity"]
    fitted = fitted[(fitted["of"] == of) & (fitted["form"] == "plain") & fitted["claimed"].notna()]
    return [
        RuleTest(
            f"{row.part} against {row.against}: {row.exponent:.2f}, claimed {row.claimed:g}",
            row.exponent <= row.claimed + EXPONENT_TOLERANCE,
        )
        for row in fitted.itertuples()
    ]
