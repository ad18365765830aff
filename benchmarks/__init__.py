"""What the speed figures of the documentation come from: `python -m benchmarks`, or `make bench`.

Each part is one module with a `run(context) -> rows`. Everything is measured through the package's public interface,
so that the same benchmark runs before and after a change of the engine.

pytest-benchmark is not used. It times one short function at a time, each to its own end; here two programs are timed
in turns within one run, some for minutes, several in processes of their own whose memory is limited and watched, and
the result is a 95th percentile over the rounds of whole searches.
"""
