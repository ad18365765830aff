"""Decide which faces take part in the glyph pool and which characters are one class, from Unicode and the pixels.

    python -m elsa_nb.images.glyph_pool.confusables --unicode confusables.txt

writes `data/glyphs/faces.csv` and `data/glyphs/classes.csv`, the two tables that `glyph_pool.build` builds from.
`confusables.txt` is that of Unicode Technical Standard 39 (https://www.unicode.org/Public/security/).
"""

import argparse
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from elsa_nb import store
from elsa_nb.images.glyph_pool import fonts
from elsa_nb.images.glyph_pool.rendering import Rendering, characters_of, render
from elsa_nb.images.sources.grey_images import SIDE, digests, unpack

ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
MIN_ALPHANUMERIC = 20  # a face with fewer Latin letters and digits repeats the punctuation of its Latin sister
MIN_FACES = 350  # a character takes part when at least this many faces draw it

# Every other face is recognised by its letters (`readability`). This package of decorative faces has hundreds that
# draw patterns, letters cut from blocks or cubes; of them only those stay whose letters are read, and only with
# their ASCII characters, for many put whatever was at hand in the other places. Script hands of other packages are
# as hard to read, and stay.
DECORATIVE = "fonts-aenigma"
MIN_READABILITY = 0.35
SYMBOLS = {  # found by eye among the faces of the lowest readability
    ("fonts-urw-base35", "D050000L"): "draws symbols in place of letters",
    ("fonts-linuxlibertine", "LinBiolinum_K"): "draws key caps around letters",
    ("fonts-gotico-antiqua", "Zainer-Initials45mm"): "draws letters inside ornaments",
}

# Letters whose capital and small forms differ in print; a face that draws most of them alike has no small letters.
CASED = "ABDEGHLMNQRT"
ALIKE_CASE = 0.90
CASELESS_SHARE = 0.5

ALIKE = 0.93  # cosine of two images from which a face is said to draw two characters alike
MIN_SHARED_FACES = 30
SAME_SHARE = 0.5  # of the faces that have both characters
CONFUSED = 0.35  # of neighbours from other packages, relative to those of the class itself, in both directions
CONFUSED_RELATED = 0.25  # where Unicode relates the two: confusable, or capital and small letter
_SAMPLE = 120
_NEIGHBOURS = 5


def candidates(faces: Sequence[fonts.Face]) -> list[int]:
    """List the code points that may become classes: letters, numbers, punctuation and symbols of many faces.

    Left out are modifier letters and marks, letters with two diacritics, and compatibility forms of one character
    (superscripts, styled letters), which the common size makes equal to the plain one.
    """
    counts = Counter(code for face in faces for code in characters_of(face.path))
    return sorted(code for code, n in counts.items() if n >= MIN_FACES and _is_candidate(chr(code)))


def _is_candidate(character: str) -> bool:
    category = unicodedata.category(character)
    if category[0] not in "LNPS" or category in ("Lm", "Sk"):
        return False
    if sum(unicodedata.combining(c) > 0 for c in unicodedata.normalize("NFD", character)) > 1:
        return False
    kind, *parts = unicodedata.decomposition(character).split() or [""]
    if kind.startswith("<") and kind not in ("<fraction>", "<circle>"):
        return len(parts) > 1 and category != "Nl"
    return True


def readability(rendering: Rendering) -> np.ndarray:
    """Return for each face the share of its letters and digits whose nearest image is the same letter, float (faces,).

    Nearest by cosine at half resolution, among a quarter of the faces of all other packages; capitals and small
    letters count as the same. Faces without letters get NaN.
    """
    rows = np.flatnonzero(np.isin(rendering.codes, [ord(c) for c in ALPHANUMERIC]))
    face, letter = rendering.face[rows], np.array([ord(chr(c).upper()) for c in rendering.codes[rows]])
    _, package = np.unique([f.package for f in rendering.faces], return_inverse=True)
    half = SIDE // 2
    small = unpack(rendering.packed[rows]).reshape(-1, half, 2, half, 2).sum(axis=(2, 4)).reshape(len(rows), -1)
    small = _unit(small)
    reference = np.flatnonzero(face % 4 == 0)
    right = np.empty(len(rows), bool)
    for part in np.array_split(np.arange(len(rows)), max(1, len(rows) // 4000)):
        likeness = small[part] @ small[reference].T
        likeness[package[face[part]][:, None] == package[face[reference]]] = -1
        right[part] = letter[reference[likeness.argmax(axis=1)]] == letter[part]
    drawn = np.bincount(face, minlength=len(rendering.faces))
    with np.errstate(invalid="ignore"):
        return np.bincount(face, right, minlength=len(rendering.faces)) / drawn


def judge_faces(rendering: Rendering) -> list[dict[str, object]]:
    """List the faces that are not used, or used for capitals only: rows package, face, use, reason."""
    alphanumeric = np.isin(rendering.codes, [ord(c) for c in ALPHANUMERIC])
    drawn = np.bincount(rendering.face[alphanumeric], minlength=len(rendering.faces))
    readable = readability(rendering)
    judged = []
    for number, face in enumerate(rendering.faces):
        use, reason = "none", SYMBOLS.get((face.package, face.name), "")
        if drawn[number] < MIN_ALPHANUMERIC:
            reason = f"draws {drawn[number]} of 62 Latin letters and digits"
        elif face.package == DECORATIVE and readable[number] < MIN_READABILITY:
            reason = f"{readable[number]:.0%} of its letters and digits are recognised from other packages"
        elif not reason and _is_caseless(rendering, number):
            use, reason = "capitals", "draws small letters like capitals"
        if reason:
            judged.append({"package": face.package, "face": face.name, "use": use, "reason": reason})
    return judged


def _is_caseless(rendering: Rendering, face: int) -> bool:
    rows = np.flatnonzero(rendering.face == face)
    row_of = dict(zip(rendering.codes[rows].tolist(), rows.tolist(), strict=True))
    pairs = [(row_of[ord(c)], row_of[ord(c.lower())]) for c in CASED if {ord(c), ord(c.lower())} <= row_of.keys()]
    if not pairs:
        return False
    capital, small = (_unit(unpack(rendering.packed[list(side)])) for side in zip(*pairs, strict=True))
    return bool(np.mean((capital * small).sum(axis=1) >= ALIKE_CASE) >= CASELESS_SHARE)


def usable(rendering: Rendering, judged: Sequence[dict[str, object]]) -> np.ndarray:
    """Return the mask of images that the judged faces (faces.csv) leave in the pool, bool (n,)."""
    use = {(row["package"], row["face"]): row["use"] for row in judged}
    by_face = np.array([use.get((f.package, f.name), "all") for f in rendering.faces])[rendering.face]
    small = np.array([chr(c).islower() and chr(c).upper() != chr(c) for c in rendering.codes], bool)
    decorative = np.array([f.package == DECORATIVE for f in rendering.faces])[rendering.face]
    return (by_face != "none") & ~((by_face == "capitals") & small) & ~(decorative & (rendering.codes > 0x7E))


def skeletons(path: Path) -> dict[str, str]:
    """Read confusables.txt: each character and the text that it may be mistaken for."""
    table = {}
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        fields = line.split("#")[0].split(";")
        if len(fields) >= 2:
            source, target = ("".join(chr(int(code, 16)) for code in field.split()) for field in fields[:2])
            table[source] = target
    return table


def related(groups: Sequence[Sequence[int]], table: dict[str, str], with_case: bool) -> np.ndarray:
    """Return which groups Unicode relates, as confusable (UTS 39) or, `with_case`, as one letter: bool (k, k)."""

    def skeleton(text: str) -> str:
        decomposed = unicodedata.normalize("NFD", text)
        return unicodedata.normalize("NFD", "".join(table.get(c, c) for c in decomposed))

    marks = [
        {skeleton(chr(c)) for c in group} | ({chr(c).lower() for c in group} if with_case else set())
        for group in groups
    ]
    return np.array([[i != j and bool(a & b) for j, b in enumerate(marks)] for i, a in enumerate(marks)])


def drawn_alike(rendering: Rendering, codes: Sequence[int]) -> np.ndarray:
    """Return for each pair of characters the share of faces having both that draw them alike, float (k, k)."""
    both = np.zeros((len(codes), len(codes)), np.int32)
    alike = np.zeros_like(both)
    bounds = np.searchsorted(rendering.face, np.arange(len(rendering.faces) + 1))
    for start, stop in pairwise(bounds):
        if start < stop:
            images = _unit(unpack(rendering.packed[start:stop]))
            cells = np.ix_(*[np.searchsorted(codes, rendering.codes[start:stop])] * 2)
            both[cells] += 1
            alike[cells] += images @ images.T >= ALIKE
    return np.where(both >= MIN_SHARED_FACES, alike / np.maximum(both, 1), 0.0)


def join_alike(share: np.ndarray, confusable: np.ndarray) -> list[list[int]]:
    """Group characters by average linkage while half of the faces draw the groups alike; a quarter if confusable."""
    weight = np.where(confusable, np.minimum(1, 2 * share), share)
    np.fill_diagonal(weight, 0)
    groups = [[i] for i in range(len(weight))]
    while weight.max() >= SAME_SHARE:
        a, b = sorted(divmod(int(weight.argmax()), len(weight)))
        weight[a] = (weight[a] * len(groups[a]) + weight[b] * len(groups[b])) / (len(groups[a]) + len(groups[b]))
        weight[:, a] = weight[a]
        weight[a, a] = weight[b] = weight[:, b] = 0
        groups[a], groups[b] = groups[a] + groups[b], []
    return [sorted(group) for group in groups if group]


def confusion(rendering: Rendering, group: np.ndarray, count: int) -> np.ndarray:
    """Return how often images of one group have neighbours of another, relative to their own, both ways: (k, k).

    `group` int (n,) is each image's group. At most 120 images per group, the 5 nearest from other packages; the smaller
    of the two directions.
    """
    order = np.lexsort((digests(rendering.packed, b"confusion"), group))
    rank = np.arange(len(order)) - np.searchsorted(group[order], np.arange(count))[group[order]]
    rows = np.sort(order[rank < _SAMPLE])
    _, package = np.unique([f.package for f in rendering.faces], return_inverse=True)
    label, source = group[rows], package[rendering.face[rows]]
    images = _unit(unpack(rendering.packed[rows]))
    seen = np.zeros((count, count))
    for part in np.array_split(np.arange(len(rows)), max(1, len(rows) // 2000)):
        likeness = images[part] @ images.T
        likeness[source[part][:, None] == source] = -1
        nearest = np.argpartition(-likeness, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        np.add.at(seen, (np.repeat(label[part], _NEIGHBOURS), label[nearest].ravel()), 1)
    relative = seen / np.maximum(np.diag(seen), 1)[:, None]
    both = np.minimum(relative, relative.T)
    np.fill_diagonal(both, 0)
    return both


def join_connected(linked: np.ndarray) -> np.ndarray:
    """Give each member of a symmetric relation the number of its connected component, int (k,)."""
    component = np.arange(len(linked))
    while True:
        lowest = np.where(linked | np.eye(len(linked), dtype=bool), component, len(linked)).min(axis=1)
        if (lowest == component).all():
            return np.unique(component, return_inverse=True)[1]
        component = lowest


def class_name(codes: Sequence[int]) -> tuple[str, str]:
    """Return the character that stands for a class and the class's name, Unicode's name of that character.

    An ASCII letter stands before any other character, then the lowest code point. Where capital and small letter
    are one class, the name says "LETTER" in place of "CAPITAL LETTER".
    """
    character = min((chr(c) for c in codes), key=lambda c: (not (c.isascii() and c.isalpha()), c))
    name = unicodedata.name(character)
    if character != character.lower() and character.lower() in {chr(c) for c in codes}:
        name = name.replace(" CAPITAL ", " ", 1)
    return character, name


def _unit(images: np.ndarray) -> np.ndarray:
    flat = images.reshape(len(images), -1).astype(np.float32)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def derive(rendering: Rendering, table: dict[str, str]) -> list[dict[str, object]]:
    """Return the rows of classes.csv (character, class, name): every character and the class it belongs to."""
    codes = np.unique(rendering.codes)
    alike = join_alike(drawn_alike(rendering, codes), related([[c] for c in codes], table, with_case=False))
    group_of = {int(codes[i]): number for number, group in enumerate(alike) for i in group}
    groups = [[int(codes[i]) for i in group] for group in alike]
    both = confusion(rendering, np.array([group_of[c] for c in rendering.codes.tolist()]), len(groups))
    joined = join_connected((both >= CONFUSED) | (related(groups, table, with_case=True) & (both >= CONFUSED_RELATED)))
    members = [[c for g in np.flatnonzero(joined == k) for c in groups[g]] for k in range(joined.max() + 1)]
    named = {c: class_name(group) for group in members for c in group}
    return [{"character": chr(c), "class": named[c][0], "name": named[c][1]} for c in sorted(named)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line (see the module)."""
    parser = argparse.ArgumentParser(prog="python -m elsa_nb.images.glyph_pool.confusables", description=main.__doc__)
    parser.add_argument("--unicode", type=Path, required=True, help="confusables.txt of Unicode")
    parser.add_argument("--out", type=Path, default=store.DATA / "glyphs", help="folder of fonts.csv and the results")
    parser.add_argument("--cache", type=Path, default=store.DATA / "cache" / "fonts", help="downloaded packages")
    given = parser.parse_args(arguments)
    packages = fonts.read_packages(given.out / "fonts.csv")
    fonts.fetch(packages, given.cache)
    faces = fonts.faces(packages, given.cache)
    rendering = render(faces, candidates(faces))
    judged = judge_faces(rendering)
    fonts.write_table(given.out / "faces.csv", judged)
    rows = derive(rendering.rows(usable(rendering, judged)), skeletons(given.unicode))
    fonts.write_table(given.out / "classes.csv", rows)
    print(f"{len(rows)} characters, {len({row['class'] for row in rows})} classes, {len(judged)} faces set aside")


if __name__ == "__main__":
    main()
