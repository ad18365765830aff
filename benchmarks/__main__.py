"""`python -m benchmarks [part ...] [--quick]`: measure, print, and put the figures into benchmarks/results."""

import argparse
import importlib
import os
import sys
import time
import traceback
from pathlib import Path

# name: (module:function, whether a run without names includes it)
PARTS = {
    "rounds": ("rounds:run", True),
    "sweep": ("protocol:run", True),
    "graph": ("graph:run", True),
    "rivals": ("rivals:run", True),
    "growth": ("growth:run", True),
    "gpu": ("rounds_large:run_gpu", True),
    "harvest-searches": ("many_searches:run", True),
    "harvest-large": ("harvest_large:run", False),
    "harvest-10m": ("harvest_large:run_10m", False),
    "harvest-100m": ("harvest_large:run_100m", False),
    "rounds-large": ("rounds_large:run", False),
    "larger-than-memory": ("larger:run", False),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the named parts, or all that do not need tens of gigabytes; return 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"one of {', '.join(PARTS)}")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, seconds: shows that it runs, measures nothing"
    )
    parser.add_argument("--out", type=Path, help="folder for summary.csv and machine.json")
    options = parser.parse_args(arguments)
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"part {unknown[0]!r} is not known; allowed: {', '.join(PARTS)}")
    if options.quick and options.out is None:
        parser.error("--quick measures nothing worth keeping: say where its files go with --out FOLDER")
    return _measure(options.parts or [name for name, (_, usual) in PARTS.items() if usual], options.quick, options.out)


def _measure(parts: list[str], quick: bool, out: Path | None) -> int:
    # Late, so that the runner's worker processes, which load this module again, start quickly.
    from benchmarks import machine, summary
    from benchmarks.context import Context
    from elsa_nb.store import write_json

    out, load = out or summary.RESULTS, os.getloadavg()[0]
    context = Context(machine.measure(quick=quick), quick)
    here, commit = context.machine, machine.commit()
    print(f"{here.device}, {here.memory_gb} GB, GPU: {here.gpu or 'none'}; commit {commit}")
    print(
        f"reading {here.reading_gb_s} GB/s, float32 products {here.sgemm_gflops} GFLOP/s, bf16 {here.bf16_gflops} "
        f"GFLOP/s ({', '.join(here.matrix_units)})"
    )
    if load > 0.5 and not quick:
        print(f"Warning: the machine is not idle (load {load:.1f}); figures from a shared machine say little.")
    write_json(out / "machine.json", here.as_dict())
    limits = [
        summary.Row("limit: reading memory", here.reading_gb_s, "GB/s"),
        summary.Row("limit: float32 matrix product", here.sgemm_gflops, "GFLOP/s"),
        summary.Row("limit: bf16 matrix product", here.bf16_gflops, "GFLOP/s"),
    ]
    summary.store(out / "summary.csv", limits, here.device, commit, load)
    failed = []
    for name in parts:
        module, _, function = PARTS[name][0].partition(":")
        part = importlib.import_module(f"benchmarks.{module}")
        takes = part.TAKES if isinstance(part.TAKES, str) else part.TAKES[function]
        print(f"{name} (about {'some seconds' if quick else takes})", flush=True)
        started = time.perf_counter()
        try:
            rows = getattr(part, function)(context)
        except Exception:  # a broken part must not cost the figures of the others; it is reported, and the status is 1
            traceback.print_exc()
            failed.append(name)
            continue
        summary.store(out / "summary.csv", rows, here.device, commit, load)
        for row in rows:
            print(f"  {row.what}: {row.measured} {row.unit} {f'({row.ratio})' if row.ratio else ''}".rstrip())
        print(f"  {name} took {time.perf_counter() - started:.0f} s", flush=True)
    if failed:
        print(
            f"FAILED: {', '.join(failed)}; `python -m benchmarks {' '.join(failed)}` runs them again", file=sys.stderr
        )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
