"""The command `elsa-nb verify`: which stored searches to run again, and what to say of them.

Without options the canaries and the vectors of all bundled encoders; `--all`, `--sample N` or `--row SWEEP N` name
other rows. The work is done in `verification` and `vector_canaries`.
"""

import argparse

import numpy as np

from elsa_nb import fingerprints
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.runs import runner, validity, vector_canaries, verification
from elsa_nb.paper.runs.verification import Verified
from elsa_nb.profiles import PROFILES, profile

SHOWN_MEASURES = ("labels", "found", "discovery_rate", "labelling_efficiency", "rounds")


def run_verify(options: argparse.Namespace) -> None:
    """Verify what the options name and print what came of it.

    Raises ValueError where something went another way, MissingDataError where nothing could be run again.
    """
    if options.row:
        return _one_row(*options.row, options.profile)
    if options.sample is not None and options.sample < 1:
        raise ValueError(f"--sample {options.sample}; allowed: 1 or more")
    if not (options.all or options.sample):
        _vectors()
        rows = verification.canary_rows()
    else:
        rows = verification.rows_of_results(verification.results_here())
        if options.sample:
            rows = rows.sample(min(options.sample, len(rows)), random_state=np.random.default_rng())
    verified = verification.verify(rows, build=options.all)
    if options.record:
        verification.record_logs(verified)
        print(f"{len(verified.ran):,} logs are kept as those of this processor ({fingerprints.processor()}).")
        return None
    return _tell(verified)


def _vectors() -> None:
    differences = vector_canaries.compare_vectors()
    largest = max(differences, key=differences.__getitem__)
    print(
        f"{vector_canaries.CANARY_IMAGES} images of each of {len(vector_canaries.encoders_with_canaries())} encoders: "
        f"their vectors differ from the stored ones by {differences[largest]:.1g} at most "
        f"(allowed: {vector_canaries.VECTOR_TOLERANCE:.0e})."
    )
    if not differences[largest] <= vector_canaries.VECTOR_TOLERANCE:
        raise ValueError(
            f"the vectors of {largest} changed by {differences[largest]:.2g}, and EXTRACTION in "
            "elsa_nb/images/extraction/version.py was not raised: raise it if the change is meant, else mend it"
        )


def _one_row(name: str, number: str, profile_name: str) -> None:
    """Run one stored row again and print it beside what it was."""
    _check_stored(name, profile_name)
    rows = verification.stored_rows(name, profile_name)
    if not number.isdigit() or int(number) >= len(rows):
        raise ValueError(f"row {number!r} of {name}-{profile_name}; allowed: 0 to {len(rows) - 1}")
    row = rows.iloc[[int(number)]]
    verified = verification.verify(row)
    stored = row.iloc[0]
    print(f"{runner.results_file(name, profile_name).name}, row {number}")
    for column in (*validity.FIELDS[1:], "config", "seed", "code", "versions"):
        print(f"  {column:10} {stored[column]}")
    for again in verified.ran.to_dict("records"):
        for column in (*SHOWN_MEASURES, "log_sha256", "pool_sha256"):
            before, now = stored[column], again["again"][column]
            print(f"  {column:20} stored {before}   again {now}   {'the same' if before == now else 'OTHER'}")
    return _tell(verified)


def _check_stored(name: str, profile_name: str) -> None:
    """Raise ValueError, with the sweeps that are stored, unless this one is; MissingDataError where none is."""
    profile(profile_name)
    if not (stored := verification.results_here()):
        verification.rows_of_results(stored)  # says what makes some
    if (name, profile_name) not in stored:
        names = {each: ", ".join(sweep for sweep, of in stored if of == each) for each in PROFILES}
        told = "; ".join(f"{sweeps} (--profile {each})" for each, sweeps in names.items() if sweeps)
        raise ValueError(f"sweep {name!r} of profile {profile_name} is not stored; allowed: {told}")


def _tell(verified: Verified) -> None:
    for sentence in verified.sentences():
        print(sentence)
    if verified.ran.empty:
        raise MissingDataError("nothing was verified: no stored search could be run again; the lines above say why")
    if len(verified.changed):
        raise ValueError(f"{len(verified.changed):,} of {len(verified.ran):,} stored searches went another way")
