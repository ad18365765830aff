"""Install a wheel into a new environment and use it from an empty folder, as a stranger would: `make try-wheel`.

    python tests/try_wheel.py dist/elsa_nb-*.whl --python python3.12 --extras label

Without extras: the README's loop. With `label`: the panel of `elsa-nb label --pool` as a page besides. With
`reproduce,cpu`: `elsa-nb label FOLDER` and `elsa-nb reproduce` as well (minutes). Nothing may be written into
site-packages, and all that is written lies in the folder or in the user's cache. Needs the standard library only, and
a package index.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
PICTURES = """
from pathlib import Path
import numpy as np
from PIL import Image
from elsa_nb import Pool
rng = np.random.default_rng(0)
names = [f"{i:02}.png" for i in range(60)]
Path("pictures").mkdir()
for i, name in enumerate(names):
    pixels = rng.integers(0, 128, (32, 32, 3), dtype=np.uint8) + np.uint8(100 * (i < 8))
    Image.fromarray(pixels).save(f"pictures/{name}")
Pool.from_arrays(rng.normal(size=(60, 8)) + 3 * (np.arange(60) < 8)[:, None], names).save("pool")
"""
SECONDS = 300  # in which a page is there: a busy machine makes vectors, compiles, starts a kernel


class Trial:
    """An environment with the wheel in it, an empty folder, and a home of its own."""

    def __init__(self, root: Path, python: str):
        """Make the environment."""
        self.folder, self.home = root / "folder", root / "home"
        self.folder.mkdir()
        self.home.mkdir()
        subprocess.run([python, "-m", "venv", root / "venv"], check=True)
        self.bin = root / "venv" / ("Scripts" if os.name == "nt" else "bin")
        foreign = ("PYTHON", "ELSA_", "XDG_", "VIRTUAL_ENV")
        own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.environment = own | {"HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / "cache")}
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.packages = Path(self.output(self.bin / "python", "-c", where).strip())

    def install(self, wheel: Path, extras: str, constraints: Path | None) -> None:
        """Install the wheel with its extras by pip, with the user's own settings."""
        named = f"{wheel.resolve()}[{extras}]" if extras else str(wheel.resolve())
        limits = ("-c", str(constraints)) if constraints else ()
        subprocess.run([self.bin / "python", "-m", "pip", "install", "-qq", *limits, named], check=True)

    def run(self, *command: str | Path) -> None:
        """Run a command in the folder, to be seen."""
        subprocess.run(command, cwd=self.folder, env=self.environment, check=True)

    def output(self, *command: str | Path) -> str:
        """Run a command in the folder; return what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def page(self, *arguments: str) -> None:
        """Start `elsa-nb label`, read its page, and end it as a closed terminal would."""
        command = [self.bin / "elsa-nb", "label", *arguments, "--no-browser"]
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
                with urllib.request.urlopen(address, timeout=SECONDS) as answer:
                    page = answer.read().decode()
                if answer.status != 200 or "jupyter.widget-view" not in page:
                    raise SystemExit(f"the page of {command} holds no panel:\n{page[-2000:]}")
            finally:
                server.send_signal(signal.SIGTERM)
        print(f"  elsa-nb label {' '.join(arguments)}: the page answers 200, with a panel")

    def files(self) -> set[Path]:
        """Return the files of site-packages, without what Python and numba compile beside them."""
        return {path for path in self.packages.rglob("*") if "__pycache__" not in path.parts and path.is_file()}

    def size(self) -> int:
        """Return how many bytes the installed packages take."""
        return sum(path.stat().st_size for path in self.packages.rglob("*") if path.is_file())


def main() -> None:
    """Try the wheel that the command line names."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the environment")
    parser.add_argument("--extras", default="", help="of the wheel, such as label, or reproduce,cpu")
    parser.add_argument("--constraints", type=Path, help="versions to install, as pip reads them")
    options = parser.parse_args()
    extras = set(options.extras.split(","))
    with tempfile.TemporaryDirectory(prefix="try-wheel-") as root:
        trial = Trial(Path(root), options.python)
        python = trial.bin / "python"
        print(f"{trial.output(python, '--version').strip()}, elsa_nb[{options.extras}]", flush=True)
        trial.install(options.wheel, options.extras, options.constraints)
        print(f"  site-packages: {trial.size() / 1e6:,.0f} MB", flush=True)
        before = trial.files()
        blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
        trial.run(python, "-c", next(block for block in blocks if "Search(" in block))
        if extras & {"label", "reproduce"}:
            trial.run(python, "-c", PICTURES)
            trial.page("pictures", "--pool", "pool", "--name", "00.png")
        if "reproduce" in extras:
            trial.page("pictures", "--encoder", "efficientnet-lite0", "--name", "00.png")
            began = time.monotonic()
            trial.run(trial.bin / "elsa-nb", "reproduce")
            print(f"  elsa-nb reproduce: {time.monotonic() - began:.0f} s")
            if not (trial.folder / "build" / "quick" / "report.html").is_file():
                raise SystemExit("the report is not in the current folder")
        if written := trial.files() - before:
            raise SystemExit(f"written into site-packages: {sorted(map(str, written))[:10]}")
        for place in (trial.folder, trial.home):
            files = [path.relative_to(place) for path in place.rglob("*") if path.is_file()]
            folders = Counter("/".join(path.parent.parts[:3]) or "." for path in files)
            told = ", ".join(f"{name} {n}" for name, n in sorted(folders.items()))
            print(f"  files in the {place.name}: {told or 'none'}")
        print("  nothing was written into site-packages")


if __name__ == "__main__":
    main()
