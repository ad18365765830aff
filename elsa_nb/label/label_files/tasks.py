"""Labels out of the JSON files of labelling programs: Label Studio, COCO, FiftyOne, VIA, and plain tables in JSON."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from elsa_nb.column_names import ITEM, plain
from elsa_nb.label.label_files import via
from elsa_nb.label.label_files.lines import NO_OBJECT, Line, Reading
from elsa_nb.label.label_files.parts import listed, record, records, word
from elsa_nb.label.label_files.tables import Table, from_records
from elsa_nb.option_names import option_told
from elsa_nb.text_files import json_value

KNOWN = "Label Studio, COCO, FiftyOne, VIA, Labelme, CreateML, a list of records, one label per name, or names by class"


class _Asked(NamedTuple):
    """What is known of a JSON file beside its value: whether its entries are lines, which names are items, and the
    columns, fields or questions that were asked for.
    """

    by_line: bool
    is_item: Callable[[str], bool]
    item: str | None
    label: str | None


_Outlines = tuple[tuple[Callable[[Any, _Asked], bool], Callable[[Any, _Asked], Reading | Table]], ...]


def read(
    value: Any,
    by_line: bool,
    *,
    is_item: Callable[[str], bool],
    item: str | None = None,
    label: str | None = None,
) -> Reading | Table:
    """Return the lines of a parsed JSON file, or the table it is; raises ValueError for JSON of another kind.

    `is_item` says whether a name is one of the pool.
    """
    if isinstance(value, dict) and isinstance(value.get("_via_img_metadata"), dict):
        value = value["_via_img_metadata"]
    asked = _Asked(by_line, is_item, item, label)
    outlines: _Outlines = _OF_LISTS if isinstance(value, list) else _OF_OBJECTS if isinstance(value, dict) else ()
    for is_it, of_it in outlines:
        if value and is_it(value, asked):
            return of_it(value, asked)
    about = f"its keys are {', '.join(map(repr, list(value)[:8]))}" if isinstance(value, dict) else _of_what(value)
    raise ValueError(f"it is JSON of a kind that is not known ({about}); known are {KNOWN}")


def _of_what(value: Any) -> str:
    if not isinstance(value, list):
        return f"nothing but {str(value)[:40]!r}"
    return f"a list that begins with {str(value[0])[:40]!r}" if value else "an empty one"


# --- Label Studio


def _label_studio(tasks: list[dict], asked: _Asked) -> Reading:
    lines, notes, questions, cancelled, predicted = [], [], set(), 0, 0
    for number, task in enumerate(tasks, 1):
        place = f"task {task.get('id', number)}"
        data = record(task.get("data"), f"the data of {place}")
        name = _item_of(data, asked.item)
        done = listed(task.get("annotations", task.get("completions")), f"the annotations of {place}")
        kept = [a for a in done if isinstance(a, dict) and not a.get("was_cancelled")]
        cancelled += len(done) - len(kept)
        predicted += bool(task.get("predictions")) and not kept
        if not kept:
            lines.append(Line(place, name, None))
        for annotation in kept:
            result = listed(annotation.get("result"), f"a result of {place}")
            given = [r for r in result if isinstance(r, dict) and asked.label in (None, _asks(r))]
            words = frozenset(w for r in given for w in _choices(r.get("value")))
            questions |= {_asks(r) for r in given if _choices(r.get("value"))}
            lines.append(Line(place, name, words or None, _annotator(annotation, data)))
    if len(questions) > 1 and asked.label is None:
        raise ValueError(
            f"it answers several questions ({', '.join(sorted(questions))}); name the one meant: {option_told('label')}"
        )
    if cancelled:
        notes.append(f"skipped annotations, left out: {cancelled}")
    if predicted:
        notes.append(f"tasks with nothing but predictions of a model, which are not labels: {predicted}")
    return Reading(lines, "Label Studio JSON", notes=notes, heeded=frozenset(("item", "label")))


def _item_of(data: dict, item: str | None) -> str:
    if item is not None:
        if item not in data:
            asked = f"asked for by {option_told('item', item)}"
            raise ValueError(f"a task has no {item!r} in its data ({asked}); it has {', '.join(data)}")
        return str(data[item])
    by_name = {plain(str(key)): value for key, value in data.items()}
    named = next((by_name[key] for key in ITEM if by_name.get(key) not in (None, "")), None)
    return str(named if named is not None else next((v for v in data.values() if isinstance(v, str)), ""))


def _asks(result: dict) -> str:
    return str(result.get("from_name", ""))


def _choices(value: Any) -> Iterable[str]:
    """Yield the words of a result: choices, or the classes of boxes, polygons and brushes."""
    for kind, words in (value or {}).items() if isinstance(value, dict) else ():
        if isinstance(words, list) and (kind in ("choices", "taxonomy") or kind.endswith("labels")):
            paths = (word if isinstance(word, list) else [word] for word in words)  # of a taxonomy: ["bird", "owl"]
            yield from (word for path in paths for word in path if isinstance(word, str))


def _annotator(annotation: dict, data: dict) -> str | None:
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    who = data.get("annotator") if who is None else who
    return None if who is None else str(who)


# --- a few that are short


def read_labelme(data: bytes) -> Reading:
    """Return the one line of a Labelme file; raises ValueError for another kind of JSON."""
    value, _ = json_value(data.decode("utf-8-sig"))
    if not isinstance(value, dict) or not {"shapes", "imagePath"} <= set(value):
        raise ValueError("it is JSON of another kind than Labelme's")
    return _labelme(value)


def _labelme(value: dict, _: _Asked | None = None) -> Reading:
    flags = value.get("flags") or {}  # tags of the whole image
    ticked = {str(name) for name, on in flags.items() if on} if isinstance(flags, dict) else set()
    words = frozenset(ticked | (_labels_in(value["shapes"]) - {NO_OBJECT})) or frozenset((NO_OBJECT,))
    return Reading([Line("imagePath", str(value["imagePath"]), words)], "Labelme JSON", classes=True)


def _labels_in(shapes: Any) -> frozenset[str]:
    found = (shape.get("label") for shape in listed(shapes, "its list of shapes") if isinstance(shape, dict))
    return frozenset(str(word) for word in found if word is not None) or frozenset((NO_OBJECT,))


def _by_class(value: dict[str, list[str]]) -> Reading:
    """Take {class: its names}; a name may be of several classes."""
    found: dict[str, set[str]] = defaultdict(set)
    for of_class, names in value.items():
        for name in names:
            found[name].add(of_class)
    lines = [Line(f"name {i}", name, frozenset(words)) for i, (name, words) in enumerate(found.items(), 1)]
    return Reading(lines, "JSON with the names of each class", classes=True, declared=set(value))


# --- COCO and FiftyOne


def _coco(value: dict, _: _Asked) -> Reading:
    images, classes = (_by_id(records(value[key], key), key) for key in ("images", "categories"))
    found: dict[str, set[str]] = defaultdict(set)
    for number, annotation in enumerate(records(value["annotations"], "annotations"), 1):
        for part in records(annotation.get("segments_info"), f"segments of annotation {number}") or [annotation]:
            if (category := classes.get(str(part.get("category_id")))) is None:
                raise ValueError(
                    f"annotation {number} is of category {part.get('category_id')!r}, which is none of its categories "
                    f"({', '.join(map(repr, list(classes)[:8]))}); correct it, or leave the annotation out"
                )
            found[str(annotation.get("image_id"))].add(str(category.get("name")))
    lines = [
        Line(f"image {number}", str(image.get("file_name") or image.get("coco_url") or ""), words or None)
        for number, image in images.items()
        for words in [frozenset(found.pop(number, ()))]
    ]
    without = sum(line.label is None for line in lines)
    notes = [f"images without an annotation, which count as not labelled: {without}"] if without else []
    if found:
        notes.append(f"images that have annotations and are not in its list, left out: {len(found)}")
    declared = {str(category.get("name")) for category in classes.values()}
    return Reading(lines, "COCO JSON", classes=True, declared=declared, notes=notes)


def _by_id(entries: list[dict], key: str) -> dict[str, dict]:
    """Return entries by their id, which some programs write as a number here and as text there."""
    found = {str(entry.get("id")): entry for entry in entries}
    if len(found) < len(entries):
        ((twice, _),) = Counter(str(entry.get("id")) for entry in entries).most_common(1)
        raise ValueError(
            f"two of its {key} have the id {twice}, so nobody can tell which of them an annotation means: files that "
            "were joined need new ids, or import them one after the other"
        )
    return found


def _fiftyone(value: dict, _: _Asked) -> Reading:
    classes = [str(word) for word in listed(value.get("classes"), "its list of classes")]

    def named(label: Any, place: str) -> Any:
        if isinstance(label, dict):  # with a confidence, attributes, or a box
            label = label.get("label")
        if not classes or not isinstance(label, int) or isinstance(label, bool):
            return word(label, place)
        if not 0 <= label < len(classes):
            raise ValueError(f"a label is number {label} of its {len(classes)} classes, which count from 0")
        return classes[label]

    lines = []
    for number, (name, label) in enumerate(value["labels"].items(), 1):
        place = f"entry {number}"
        several = isinstance(label, list)
        of = frozenset(named(each, place) for each in label) or None if several else named(label, place)
        lines.append(Line(place, name, of))
    return Reading(lines, "FiftyOne JSON", classes=True, declared=set(classes))


def _fiftyone_samples(value: dict, asked: _Asked) -> Reading:
    samples, label = records(value["samples"], "samples"), asked.label
    fields = {key for s in samples for key, v in s.items() if isinstance(v, dict) and "_cls" in v and key != "metadata"}
    if label is None and len(fields) > 1:
        raise ValueError(
            f"its samples have several labels ({', '.join(sorted(fields))}); name one: {option_told('label')}"
        )
    field = label or next(iter(fields), "ground_truth")
    lines = []
    for number, sample in enumerate(samples, 1):
        place = f"{field!r} of sample {number}"
        given = record(sample.get(field), place)
        several = next((given[k] for k in ("classifications", "detections") if isinstance(given.get(k), list)), None)
        each = [given] if several is None else records(several, place)
        words = frozenset(word(one.get("label"), f"a label in {place}") for one in each) - {None}
        lines.append(Line(f"sample {number}", str(sample.get("filepath", "")), words or None))
    kind = f"FiftyOne samples, labels from {field!r}"
    return Reading(lines, kind, classes=True, label_column=field, heeded=frozenset(("label",)))


# --- plain JSON: lists and objects of names, words and records


def _createml(value: list[dict], asked: _Asked) -> Reading:
    lines = [Line(f"entry {i}", e["image"], _labels_in(e["annotations"])) for i, e in enumerate(value, 1)]
    return Reading(lines, "CreateML JSON", classes=True)


def _list_of_records(value: list[dict], asked: _Asked) -> Table:
    return from_records(value, *(("JSON Lines", "line") if asked.by_line else ("JSON list", "entry")))


def _list_of_names(value: list[str], asked: _Asked) -> Reading:
    return Reading([Line(f"entry {i}", name, None) for i, name in enumerate(value, 1)], "JSON list of names", bare=True)


def _megadetector(value: dict, asked: _Asked) -> Reading:
    raise ValueError(
        "it is MegaDetector's JSON: its detections are what a model thinks, with a confidence, not labels. "
        "Write the images whose detections you trust into a list, and import that"
    )


def _label_per_name(value: dict[str, Any], asked: _Asked) -> Reading:
    lines = [Line(f"entry {i}", name, given) for i, (name, given) in enumerate(value.items(), 1)]
    return Reading(lines, "JSON with one label per name")


def _lists_by_name(value: dict[str, list[str]], asked: _Asked) -> Reading:
    """Take {name: its classes} where a name is an item, else {class: its names}."""
    if not any(map(asked.is_item, value)):
        return _by_class(value)
    lines = [Line(f"entry {i}", name, frozenset(words)) for i, (name, words) in enumerate(value.items(), 1)]
    return Reading(lines, "JSON with the classes of a name", classes=True)


def _alike(value: dict[str, dict]) -> bool:
    first, *others = value.values()
    return all(other.keys() == first.keys() for other in others)


def _are_columns(value: dict, asked: _Asked) -> bool:
    """Whether an object is one of columns, as pandas writes them: {"item": {"0": ..., "1": ...}, ...}."""
    return _all_of(value.values(), dict) and _alike(value) and bool({plain(name) for name in value} & set(ITEM))


def _columns(value: dict[str, dict], asked: _Asked) -> Table:
    entries = [{name: value[name][key] for name in value} for key in next(iter(value.values()))]
    return from_records(entries, "JSON with one list per column", "entry")


def _are_records(value: dict, asked: _Asked) -> bool:
    return _all_of(value.values(), dict) and (_alike(value) or any(map(asked.is_item, value)))


def _record_per_name(value: dict[str, dict], asked: _Asked) -> Table:
    entries = [{"item": name} | part for name, part in value.items()]
    return from_records(entries, "JSON with one record per name", "entry")


def _tables_in(value: dict) -> list[list[dict]]:
    return [part for part in value.values() if isinstance(part, list) and part and isinstance(part[0], dict)]


def _table_within(value: dict, asked: _Asked) -> Reading | Table:
    """Read the one table among words about it: pandas' "table", answers of a server."""
    return read(_tables_in(value)[0], **asked._asdict())


def _all_of(values: Iterable[Any], kind: type) -> bool:
    return all(isinstance(value, kind) for value in values)


# What a value that is not empty may be, in the order in which it is asked, and what reads it.
_OF_LISTS: _Outlines = (
    (
        lambda value, _: (
            _all_of(value, dict)
            and any("data" in entry and ("annotations" in entry or "completions" in entry) for entry in value)
        ),
        _label_studio,
    ),
    (
        lambda value, _: (
            _all_of(value, dict)
            and all(isinstance(e.get("image"), str) and isinstance(e.get("annotations"), list) for e in value)
        ),
        _createml,
    ),
    (lambda value, _: _all_of(value, dict), _list_of_records),
    (lambda value, _: _all_of(value, str), _list_of_names),
)
_OF_OBJECTS: _Outlines = (
    (
        lambda value, _: isinstance(value.get("data"), dict) and "annotations" in value,
        lambda value, asked: _label_studio([value], asked),
    ),
    (lambda value, _: _all_of(map(value.get, ("images", "annotations", "categories")), list), _coco),
    (lambda value, _: "detection_categories" in value, _megadetector),
    (lambda value, _: "shapes" in value and "imagePath" in value, _labelme),
    (lambda value, _: isinstance(value.get("labels"), dict), _fiftyone),
    (lambda value, _: isinstance(value.get("samples"), list), _fiftyone_samples),
    (lambda value, _: via.is_project(value), lambda value, asked: via.read_project(value, asked.label)),
    (lambda value, _: via.is_list(value), lambda value, asked: via.read_list(value, asked.label)),
    (lambda value, _: not any(isinstance(part, dict | list) for part in value.values()), _label_per_name),
    (
        lambda value, _: all(isinstance(part, list) and _all_of(part, str) for part in value.values()),
        _lists_by_name,
    ),
    (_are_columns, _columns),
    (_are_records, _record_per_name),
    (lambda value, _: len(_tables_in(value)) == 1, _table_within),
)
