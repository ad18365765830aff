"""A pool of texts for `equal_budgets`: Debian's one-line descriptions of its packages, labelled by its tags.

    apt-get update && python -m benchmarks.text_pool

The texts are the short descriptions of the packages that `apt-cache dumpavail` lists with tags; the tags were given by
many hands over twenty years. The encoder is WordLlama's `l2_supercat` of 256 dimensions: one learned vector per
token, averaged over the tokens of a text (extra `bench`; its weights are in the package). Classes are the tags of 60 to
400 packages that say what a package is about; descriptions do not say how it is built, packed or shown
(`OTHER_FACETS`).

Writes data/pools/debian-wordllama-256-embedding, with the labels beside it as `labels.csv`, a row for each package and
tag. Another release of Debian has other packages, and gives another pool.
"""

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from elsa_nb.pool import Pool
from elsa_nb.store import DATA, write_atomically

NAME = "debian-wordllama-256"
SMALLEST, LARGEST = 60, 400
OTHER_FACETS = ("role", "suite", "implemented-in", "interface", "uitoolkit", "scope", "special", "made-of")


def stanzas(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield the fields of each package in Debian's format: `Name: value`, continued by lines that begin with a space.

    Continued lines are joined by two spaces, which tell a short description from the paragraphs that follow it.
    """
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if not line.strip():
            if fields:
                yield fields
            fields = {}
        elif line[0].isspace():
            fields[name] += "  " + line.strip()
        else:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    if fields:
        yield fields


def texts_and_tags(packages: Iterable[dict[str, str]]) -> tuple[pd.Series, pd.DataFrame]:
    """Return the description of each tagged package by its name, and its tags of the classes: `id`, `label`."""
    tagged = {each["Package"]: each for each in packages if each.get("Tag") and each.get("Description")}
    texts = pd.Series({name: each["Description"].split("  ")[0] for name, each in tagged.items()}).sort_index()
    pairs = [(name, tag.strip()) for name, each in tagged.items() for tag in sorted(set(each["Tag"].split(",")))]
    tags = pd.DataFrame(pairs, columns=["id", "label"]).drop_duplicates().sort_values(["id", "label"])
    facet = tags["label"].str.partition("::")[0]
    tags = tags[~facet.isin(OTHER_FACETS) & ~tags["label"].str.endswith("::TODO")]
    sizes = tags["label"].value_counts()
    return texts, tags[tags["label"].map(sizes).between(SMALLEST, LARGEST)]


def main() -> None:
    """Make the pool out of the packages that this machine knows of."""
    import wordllama

    listed = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    texts, tags = texts_and_tags(stanzas(listed.splitlines()))
    if texts.empty:
        raise SystemExit("apt-cache lists no tagged packages: `apt-get update` fetches the list, on Debian")
    # The tokens' table and their vectors are in the package; it would look for the table on the network otherwise.
    encoder = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    vectors = encoder.embed(list(texts), norm=False)
    folder = DATA / "pools" / f"{NAME}-embedding"
    made = {"texts": "short descriptions, apt-cache dumpavail", "encoder": f"wordllama {wordllama.__version__}"}
    pool = Pool.from_arrays(vectors, texts.index.to_numpy(str), name=folder.name, provenance=made)
    pool.save(folder)
    write_atomically(folder / "labels.csv", tags.to_csv(index=False).encode())
    print(f"{pool.n:,} texts, {tags['label'].nunique()} classes: {folder}")


if __name__ == "__main__":
    main()
