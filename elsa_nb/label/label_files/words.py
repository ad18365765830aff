"""From the words of a file to labels: 1 positive, 0 negative, -1 unsure, None not labelled."""

import decimal
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from elsa_nb.label.label_files.lines import Line, Reading
from elsa_nb.option_names import option_told
from elsa_nb.search.contract import NEGATIVE, POSITIVE, UNSURE

LABEL_WORDS = {POSITIVE: "positive", NEGATIVE: "negative", UNSURE: "unsure"}  # our own word of each label
_OURS = {word: label for label, word in LABEL_WORDS.items()}
# TRUE and FALSE in the words that Excel and LibreOffice write into a CSV file in other languages, and what people type.
_YES = """
    1 true t yes y pos relevant include included ja j oui si sí sim tak wahr vrai verdadero verdadeiro vero
    present presence detected accept accepted waar sant sand prawda igaz pravda tosi истина да ano
    是 真 はい 예 네
"""
_NO = """
    0 false f no n neg irrelevant exclude excluded nein non não nao nie falsch faux falso onwaar falskt falsk
    absent absence undetected reject rejected fałsz hamis nepravda epätosi ложь нет ne ✗ ✘ ✖ ❌ 👎
    否 假 いいえ 아니요 아니오
"""
_TICKS = set("✓✔☑✅√🗸👍")
_CROSSES = {"x", "[x]", "\N{MULTIPLICATION SIGN}", "✕", "☒"}  # alone they mark positives; beside ticks they mean no
_RINGS = {"○", "\N{IDEOGRAPHIC NUMBER ZERO}", "◯"}  # yes beside crosses, in Japan
_ANSWERS = (
    _OURS
    | dict.fromkeys((*_YES.split(), *_TICKS), POSITIVE)
    | dict.fromkeys(_NO.split(), NEGATIVE)
    | dict.fromkeys(("-1", "?", "maybe", "uncertain", "ignore"), UNSURE)
)
# An empty box to tick is no label: nobody knows whether the item was looked at.
_EMPTY = {"", "-", "☐", "[ ]", "[]", "na", "n/a", "#n/a", "#nv", "<na>", "nan", "none", "null", "nil"}
_UNSEEN = re.compile("[\u200b\u200e\u200f\ufe0e\ufe0f\ufeff]")  # what tells how a tick is drawn, and words run
_BETWEEN = ";|,"  # several classes in one cell
_DECIMAL = re.compile(r"[+-]?\d+,\d+")  # a number as half of Europe writes it, not two classes
_MOST = 8  # words named in a message


def word_of(value: Any) -> str:
    """Return a value as a word to compare: no case, no spaces around, 1.0 as 1, "" for nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return _word(str(value))


@lru_cache(1 << 12)  # a file has few words and many lines
def _word(text: str) -> str:
    text = _UNSEEN.sub("", unicodedata.normalize("NFC", text)).strip().casefold().replace("\N{MINUS SIGN}", "-")
    number = re.fullmatch(r"\+?(-?\d+)(?:[.,]0*)?", text)
    if number is None and re.fullmatch(r"[+-]?\d+(?:[.,]\d*)?e[+-]?\d{1,3}", text):  # 1.0E+00
        power = decimal.Decimal(text.replace(",", "."))
        return str(int(power)) if power in (-1, 0, 1) else text
    return str(int(number[1])) if number else text


def labels_of(
    reading: Reading,
    *,
    positive: str | Sequence[str] | None = None,
    negative: str | Sequence[str] | None = None,
    unsure: str | Sequence[str] | None = None,
) -> list[int | None]:
    """Return the label of each line.

    With `positive` (a class or several), items of it are positive and other labelled ones negative; or, where
    `negative` is given too, only items of those classes. Without it, the words must be answers: positive, 1, yes, TRUE,
    ... Raises ValueError for a word that is neither, naming all words of the file.
    """
    named = {POSITIVE: positive, NEGATIVE: negative, UNSURE: unsure}
    wanted = {label: set(_words(given)) for label, given in named.items()}
    if wanted[NEGATIVE] and not wanted[POSITIVE]:
        raise ValueError(
            "negative is given without positive; name the class to look for as well: " + option_told("positive")
        )
    apart = taken_apart(reading, set().union(*wanted.values()))
    said = [set(map(word_of, parts)) for parts in apart]
    for label, words in wanted.items():
        if strange := words - set().union(*said):
            elsewhere = f". Where another column holds it, name that: {option_told('label')}"
            where = elsewhere if reading.label_column is not None else ""
            raise ValueError(
                f"no label of the file is {min(strange)!r} (given as {LABEL_WORDS[label]}); {_listed(reading)}{where}"
            )
    if wanted[POSITIVE] and set().union(*said) - wanted[POSITIVE] - _EMPTY == {"-1"}:  # as programs for SVMs write it
        wanted[NEGATIVE] = {"-1"}
        reading.notes.append("'-1' was counted as negative: beside what is positive the file has no other label")
    known = _OURS if reading.classes else _ANSWERS
    known = known | _pair(set().union(*said, map(word_of, reading.declared)))
    if not reading.classes and not wanted[POSITIVE]:
        known = known | _marks(set().union(*said), reading)
    labels: list[int | None] = []
    passed: set[str] = set()  # words that say nothing in most files, and may be the name of a class in this one
    for line, words in zip(reading.lines, said, strict=True):
        if wanted[POSITIVE]:
            labels.append(_chosen(words, wanted, line, reading))
            if labels[-1] is None:
                passed |= words - {""}
            continue
        found = {known.get(word) for word in words - _EMPTY}
        if None in found or len(found) > 1:
            recoded = f". Where words look wrong, the text is in another encoding: {option_told('encoding', 'cp1251')}"
            raise ValueError(
                f"{line.where}: the label {_shown(line.label)} is not an answer; {_listed(reading)}. Say which of them "
                f"is wanted: {option_told('positive')}. Answers are positive, negative, unsure, 1, 0, -1, yes, no, "
                f"true, false{recoded if not str(line.label).isascii() else ''}"
            )
        labels.append(found.pop() if found else None)
    if remark := _counted(said, labels, wanted, reading):
        reading.notes.append(remark)
    for word in sorted(passed):
        reading.notes.append(f"{word!r} was read as no label; to make it a negative: {option_told('negative', word)}")
    return labels


def taken_apart(reading: Reading, named: set[str] | None = None) -> list[list[Any]]:
    """Return the labels of each line as they are written; of a cell with several classes each of them.

    Taken whole, "owl; night" would not be an owl. Cells are taken apart where a class that is `named` is among their
    parts; where nobody names one (None), those that a class of the file is a part of. Says so in the reading's notes.
    """
    whole = [_parts(line.label) for line in reading.lines]
    cells = {line.label for line in reading.lines if isinstance(line.label, str)}
    for mark in _BETWEEN if named is not None or not reading.classes else ():
        parted = {cell: cell.split(mark) for cell in cells if mark in cell and not _DECIMAL.fullmatch(cell.strip())}
        if named is None:
            parted = _of_several(parted, cells, alone=mark == ",")
        elif not any(set(map(word_of, parts)) & named and word_of(cell) not in named for cell, parts in parted.items()):
            continue
        if parted:
            reading.notes.append(f"cells with several labels were taken apart at {mark!r}")
            said = zip(reading.lines, whole, strict=True)
            return [parted.get(line.label, own) if isinstance(line.label, str) else own for line, own in said]
    return whole


def _of_several(parted: dict[str, list[str]], cells: set[str], *, alone: bool) -> dict[str, list[str]]:
    """Return the cells, of those with a mark, that hold several classes, by what the file itself calls a class.

    A class is what stands alone in a cell, and what stands beside a class: "Panthera leo (Linnaeus, 1758)" is one
    class, however many cells have that year. All parts of a cell are classes too if each is also part of another cell;
    not if only those `alone` count, as with a comma, which is part of many names ("Smith, Jane", "Paris, Texas").
    Where only a few of the cells with the mark are found so, it is chance, as with ImageNet's "maillot" and "maillot,
    tank suit": then no cell is.
    """
    words = {cell: frozenset(map(word_of, parts)) - _EMPTY for cell, parts in parted.items()}
    known = {word_of(cell) for cell in cells - parted.keys()} - _EMPTY
    together = set(words.values())  # the same classes, written in two ways, are one cell
    often = Counter(word for each in together for word in each)
    if not alone:
        known.update(*(each for each in together if all(often[word] > 1 for word in each)))
    found: set[str] = set()
    while new := {cell for cell in words.keys() - found if words[cell] & known and word_of(cell) not in known}:
        found |= new
        known.update(*(words[cell] for cell in new))
    return {cell: parted[cell] for cell in found} if 2 * len(found) > len(parted) else {}


def _chosen(words: set[str], wanted: dict[int, set[str]], line: Line, reading: Reading) -> int | None:
    for label in (POSITIVE, UNSURE, NEGATIVE):
        if words & wanted[label]:
            return label
    if not words - _EMPTY:
        return None
    if not wanted[NEGATIVE] and words - _EMPTY <= _unsure_words(reading):
        return UNSURE
    if wanted[NEGATIVE]:
        raise ValueError(f"{line.where}: the label {_shown(line.label)} was not named; {_listed(reading)}")
    return NEGATIVE


def _unsure_words(reading: Reading) -> set[str]:
    """Return the words that say that nobody knows; where words are names of classes, only our own is none."""
    return {word for word, label in (_OURS if reading.classes else _ANSWERS).items() if label == UNSURE}


def _counted(said: list[set[str]], labels: list[int | None], wanted: dict[int, set[str]], reading: Reading) -> str:
    """Return a remark on words that were counted as unsure although nobody named them; "" for none."""
    words = Counter(
        word
        for words, label in zip(said, labels, strict=True)
        for word in words - _EMPTY - {"unsure"}
        if label == UNSURE and not words & wanted[UNSURE]
    )
    if not words:
        return ""
    unsure = ", ".join(f"{word!r} ({n})" for word, n in words.most_common())
    was, it_means = ("was", "it means") if len(words) == 1 else ("were", "one of them means")
    if wanted[POSITIVE]:
        others = f"{was} counted as unsure, and what is neither that nor positive as negative"
    elif "-1" in words and NEGATIVE not in labels:
        others = f"{was} read as unsure, and nothing as negative"
    else:
        return ""
    cure = f"{option_told('positive', min(wanted[POSITIVE] or {'1'}))} and {option_told('negative', min(words))}"
    return f"{unsure} {others}; if {it_means} negative: {cure}, and name all other negatives likewise"


def _pair(words: set[str]) -> dict[str, int]:
    """Return what our own files call the two classes: X and "not X"."""
    words = words - _EMPTY
    pairs = [word for word in words if f"not {word}" in words]
    if len(pairs) != 1 or words - set(_OURS) - {pairs[0], f"not {pairs[0]}"}:
        return {}
    return {pairs[0]: POSITIVE, f"not {pairs[0]}": NEGATIVE}


def _marks(words: set[str], reading: Reading) -> dict[str, int]:
    """Return what crosses mean where nothing but them, or nothing but them and ticks, is written; {} elsewhere."""
    words = words - _EMPTY
    crosses, others = words & _CROSSES, words - _CROSSES
    if not crosses or others - _TICKS - _RINGS:
        return {}
    if not others:
        reading.notes.append(
            f"{' and '.join(sorted(map(repr, crosses)))} was read as the mark of a positive; what has no mark has no "
            "label"
        )
    return dict.fromkeys(crosses, NEGATIVE if others else POSITIVE) | dict.fromkeys(others, POSITIVE)


def check_class(name: str) -> None:
    """Raise ValueError for the name of a class that would be read as something else: no label, or an unsure one."""
    if word_of(name) in _EMPTY | {"unsure"}:
        raise ValueError(
            f"the class is called {name!r}, which is read as no label or as an unsure one; name it otherwise"
        )


def says_doubt(word: str, classes: bool = False) -> bool:
    """Whether a word is an unsure answer: unsure, ?, maybe, -1; in a file of `classes` (folders, boxes) only unsure."""
    return (_OURS if classes else _ANSWERS).get(word_of(word)) == UNSURE


def refusals(words: Collection[Any], declared: Collection[str] = (), *, answers: bool = False) -> set[str]:
    """Return the words of a file that are a no, and so no class, as `word_of` writes them.

    They are those of a file that holds nothing but answers as this package writes them, which `answers` says of one
    whose words need not show it; and "not X" beside X, where the file has, or lists as `declared`, no other class.
    1 and 0 alone may be the names of two classes.
    """
    said = set(map(word_of, words)) - _EMPTY
    answers = answers or (said <= {*_OURS, *map(str, LABEL_WORDS)} and not said <= {"1", "0"})
    ours = {LABEL_WORDS[NEGATIVE], str(NEGATIVE)} if answers else set()
    pair = _pair(said | set(map(word_of, declared)))
    return said & (ours | {word for word, label in pair.items() if label == NEGATIVE})


def says_nothing(word: str) -> bool:
    """Whether a word stands for no label, as in most files: an empty cell, NA, null, -."""
    return word_of(word) in _EMPTY


def _words(given: Any) -> list[str]:
    given = [given] if isinstance(given, str) or not isinstance(given, Iterable) else given
    return [word_of(word) for word in given if word is not None]


def _parts(label: Any) -> list[Any]:
    return list(label) if isinstance(label, set | frozenset | list | tuple) else [label]


def _shown(label: Any) -> str:
    return " + ".join(sorted(repr(str(part)) for part in _parts(label)))


def _listed(reading: Reading) -> str:
    """Say which labels a file has and how often, each as it is first written there."""
    spelt: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for part in (part for line in reading.lines for part in _parts(line.label)):
        if (word := word_of(part)) not in _EMPTY:
            spelt.setdefault(word, str(part).strip())
            counts[word] += 1
    most = ", ".join(f"{spelt[word]} ({n})" for word, n in counts.most_common(_MOST))
    more = f" and {len(counts) - _MOST} more" if len(counts) > _MOST else ""
    read_as = f"it was read as {reading.kind}; " if reading.label_column is not None else ""
    return f"{read_as}its labels are {most}{more}" if counts else "it holds no label at all"
