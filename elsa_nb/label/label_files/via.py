"""Labels out of the files of VIA, the VGG Image Annotator: its JSON of two versions, and its CSV."""

import json
from typing import Any

from elsa_nb.column_names import plain
from elsa_nb.label.label_files.lines import Line, Reading, RowPlace
from elsa_nb.label.label_files.parts import listed, record, records, word
from elsa_nb.label.label_files.tables import Table
from elsa_nb.option_names import option_told


def is_project(value: dict[str, Any]) -> bool:
    """Whether JSON is a project of VIA 3."""
    return isinstance(value.get("file"), dict) and isinstance(value.get("metadata"), dict)


def is_list(value: dict[str, Any]) -> bool:
    """Whether JSON is what VIA 2 writes: an object for each image."""
    return bool(value) and all(isinstance(part, dict) and "filename" in part for part in value.values())


def is_table(table: Table) -> bool:
    """Whether a table is VIA's CSV export."""
    return {"filename", "file_attributes", "region_attributes"} <= {plain(name) for name in table.columns}


def read_list(value: dict[str, dict], label: str | None) -> Reading:
    """Return the lines of VIA 2's JSON; ValueError for what is of another kind in it."""
    entries = [
        (
            f"entry {i}",
            part["filename"],
            record(part.get("file_attributes"), f"attributes of entry {i}"),
            _regions(part, f"entry {i}"),
        )
        for i, part in enumerate(value.values(), 1)
    ]
    return _via(entries, label, "VIA JSON")


def read_regions(table: Table, label: str | None) -> Reading:
    """Return the lines of VIA's CSV: one row per region, attributes as JSON in a cell."""
    at = {plain(name): i for i, name in enumerate(table.columns)}
    grouped: dict[str, tuple[str, dict, list[dict]]] = {}
    for place, cells in table.rows:
        of_file, of_region = (_loaded(cells[at[name]], place) for name in ("file_attributes", "region_attributes"))
        entry = grouped.setdefault(str(cells[at["filename"]]), (str(place), of_file, []))
        entry[2].append(of_region)
    return _via([(place, name, files, regions) for name, (place, files, regions) in grouped.items()], label, "VIA CSV")


def read_project(value: dict[str, Any], label: str | None) -> Reading:
    """Return the lines of a project of VIA 3; ValueError for what is of another kind in it."""
    attributes = _records(value.get("attribute"), "attribute")
    names = {str(a.get("aid", i)): str(a.get("aname", i)) for i, a in attributes.items()}
    options = {i: record(a.get("options"), f"options of attribute {i}") for i, a in attributes.items()}
    views = _records(value.get("view"), "view")
    shown = {i: list(map(str, listed(v.get("fid_list"), f"files of view {i}"))) for i, v in views.items()}
    files = _records(value["file"], "file")
    given: dict[str, tuple[dict[str, Any], list]] = {fid: ({}, []) for fid in files}
    for number, entry in _records(value["metadata"], "metadata").items():
        words = {}
        for a, chosen in record(entry.get("av"), f"attributes of metadata {number}").items():
            chosen = word(chosen, f"attribute {a} of metadata {number}")
            words[names.get(a, a)] = options.get(a, {}).get(str(chosen), chosen)
        for fid in shown.get(str(entry.get("vid")), [str(entry.get("vid"))]):
            if fid in given:
                given[fid][1].append(words) if entry.get("xy") else given[fid][0].update(words)
    entries = [(f"file {fid}", file.get("fname", ""), *given[fid]) for fid, file in files.items()]
    return _via(entries, label, "VIA 3 JSON")


def _records(value: Any, what: str) -> dict[str, dict[str, Any]]:
    return {str(key): record(each, f"{what} {key}") for key, each in record(value, what).items()}


def _via(entries: list[tuple[str, str, dict, list[dict]]], label: str | None, kind: str) -> Reading:
    """Take attributes of files; where no file has any, those of its regions."""
    for of_file in (True, False):
        found = [
            (place, name, [_filled(files)] if of_file else list(map(_filled, regions)))
            for place, name, files, regions in entries
        ]
        attributes = {key for _, _, parts in found for part in parts for key in part}
        if attributes or not of_file:
            break
    if label is None and len(attributes) > 1:
        raise ValueError(
            f"its images have several attributes ({', '.join(sorted(attributes))}); name one: {option_told('label')}"
        )
    wanted = label or next(iter(attributes), None)
    lines = [
        Line(place, str(name), frozenset(w for part in parts for w in part.get(wanted, ())) or None)
        for place, name, parts in found
    ]
    kind = f"{kind}, labels from {wanted!r}"
    return Reading(lines, kind, label_column=wanted, heeded=frozenset(("label",)))


def _filled(attributes: dict[str, Any]) -> dict[str, set[str]]:
    """Return {attribute: its words}; a box to tick holds {"word": true}."""
    filled = {}
    for key, value in attributes.items():
        words = {w for w, ticked in value.items() if ticked} if isinstance(value, dict) else {str(value)}
        if words - {"", "undefined"}:
            filled[key] = words - {"", "undefined"}
    return filled


def _regions(entry: dict, where: str) -> list[dict]:
    regions = entry.get("regions")
    regions = list(regions.values()) if isinstance(regions, dict) else regions
    return [
        record(region.get("region_attributes"), f"attributes of region {i} of {where}")
        for i, region in enumerate(records(regions, f"regions of {where}"), 1)
    ]


def _loaded(cell: str | None, place: RowPlace) -> dict:
    try:
        value = json.loads(str(cell or "{}"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: its attributes are not JSON ({error})") from None
    return record(value, f"{place}: the JSON of its attributes")
