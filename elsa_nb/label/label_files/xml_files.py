"""Labels out of XML: CVAT's "CVAT for images" and Pascal VOC's, one file per image; tags, or the classes of shapes."""

from xml.parsers import expat

from elsa_nb.label.label_files.lines import NO_OBJECT, Line, Reading

_SHAPES = {"tag", "box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton"}


def read(data: bytes) -> Reading:
    """Return one line per image; raises ValueError for other XML, and for a document that declares entities.

    Entities are how a small XML file becomes a large one in memory, or reads other files; neither program writes any.
    """
    images: list[tuple[str, str, set[str]]] = []
    shapes = 0
    path: list[str] = []
    roots: list[str] = []
    texts: list[tuple[tuple[str, ...], str]] = []  # what stands in the elements of Pascal VOC, in parts

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal shapes
        roots.append(tag)
        path.append(tag)
        texts.append((tuple(path), ""))
        if tag == "image":
            images.append((f"line {parser.CurrentLineNumber}", attributes.get("name", ""), set()))
        elif tag in _SHAPES and images and "label" in attributes:
            images[-1][2].add(attributes["label"])
            shapes += tag != "tag"

    def text(part: str) -> None:
        texts[-1] = (texts[-1][0], texts[-1][1] + part)

    def refuse(*_: object) -> None:
        raise ValueError("its XML declares a document type; that is refused (it may pull in other files)")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler = start, text
    parser.EndElementHandler = lambda tag: path.pop()
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"its XML is broken ({error}); mend what stands there, or export it again") from None
    if roots[0] == "annotation":
        elements = [(place[1:], part.strip()) for place, part in texts]
        name = next((part for place, part in elements if place == ("filename",)), "")
        words = frozenset(part for place, part in elements if place == ("object", "name"))
        return Reading([Line("filename", name, words or frozenset((NO_OBJECT,)))], "Pascal VOC XML", classes=True)
    if "track" in roots:
        raise ValueError("it is CVAT's XML of a video; export it as 'CVAT for images', which names each frame")
    if roots[0] != "annotations" or not images:
        raise ValueError(
            f"it is XML of a kind that is not known (it begins with <{roots[0]}>); known are CVAT's 'CVAT for images' "
            "and Pascal VOC's"
        )
    lines = [Line(place, name, frozenset(labels) or None) for place, name, labels in images]
    return Reading(lines, "CVAT XML" + (", classes of shapes" if shapes else ""), classes=True)
