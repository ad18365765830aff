"""Labels out of CVAT's XML ("CVAT for images"): tags of whole images, or the classes of their shapes."""

from xml.parsers import expat

from elsa_nb.label.label_files.lines import Line, Reading

_SHAPES = {"tag", "box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton"}


def read(data: bytes) -> Reading:
    """Return one line an image; raises ValueError for other XML, and for a document that declares entities.

    Entities are how a small XML file becomes a large one in memory, or reads other files; CVAT writes none.
    """
    images: list[tuple[str, str, set[str]]] = []
    shapes = 0
    roots: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal shapes
        roots.append(tag)
        if tag == "image":
            images.append((f"line {parser.CurrentLineNumber}", attributes.get("name", ""), set()))
        elif tag in _SHAPES and images and "label" in attributes:
            images[-1][2].add(attributes["label"])
            shapes += tag != "tag"

    def refuse(*_: object) -> None:
        raise ValueError("its XML declares a document type; that is refused (it may pull in other files)")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"its XML is broken ({error})") from None
    if roots[0] != "annotations" or not images:
        raise ValueError(
            f"it is XML of a kind that is not known (it begins with <{roots[0]}>); known is CVAT's 'CVAT for images'"
        )
    lines = [Line(place, name, frozenset(labels) or None) for place, name, labels in images]
    return Reading(lines, "CVAT XML" + (", classes of shapes" if shapes else ""), classes=True)
