"""The speed figures of the README: a table made of `benchmarks/results/summary.csv`, which the benchmarks write."""

import csv
from pathlib import Path

from elsa_nb import store

SUMMARY = store.ROOT / "benchmarks" / "results" / "summary.csv"
LEFT_OUT = ("limit: ", "growth: ")  # these and the smaller and larger pools beside rivals are in the file


def block(path: Path = SUMMARY) -> str:
    """Return the summary as a markdown table, with the machines and commits it was measured at under it.

    Raises FileNotFoundError where nothing was measured yet.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not here: `make bench` measures")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if not row["what"].startswith(LEFT_OUT)]
    rows = [row for row in rows if not row["what"].startswith("beside") or " 100,000 rows" in row["what"]]
    lines = ["| what | goal | measured | ratio |", "|---|---|---|---|"]
    for row in rows:
        cells = row["what"], row["goal"], f"{row['measured']} {row['unit']}".strip(), row["ratio"]
        lines.append(f"| {' | '.join(text.replace('|', '/') for text in cells)} |")
    machines = sorted({(row["device"], row["commit"]) for row in rows if row["device"]})
    told = "; ".join(f"{device} at commit {commit}" for device, commit in machines)
    return "\n".join([*lines, "", f"Measured on: {told}." if told else "Nothing measured yet."])
