"""What a file is by its first bytes, or by the ending of its name, and how its pictures get into a kind that is read.

`reasons.py` says by it why a file with a picture's name shows none, and the sources of folders which of the files
without such a name are pictures all the same.
"""

import re
from typing import NamedTuple

FIRST_BYTES = 512  # bytes from the beginning that tell every kind


class FileKind(NamedTuple):
    """A kind of file: what one and several are called, the cure where it is not read, how to know it.

    `endings` are those of names, in lower case, the usual one first; `start` is a pattern that first bytes match. A
    kind that is no `picture` may hold some.
    """

    one: str
    many: str
    cure: str
    endings: tuple[str, ...]
    start: bytes = b""
    picture: bool = True

    @property
    def named(self) -> str:
        """What a file of this kind is, with "a" or "an" as it is spoken."""
        return f"{'an' if re.match('[aeio]|AVIF|SVG', self.one) else 'a'} {self.one}"

    @property
    def told(self) -> str:
        """What a file of this kind is, and its cure."""
        return f"{self.named}; {self.cure}"


_COPY = "copy it again"
TIFF = FileKind("TIFF", "TIFFs", _COPY, (".tif", ".tiff", ".btf"), rb"II[*+]\0|MM\0[*+]")
ARCHIVE = FileKind(
    "archive",
    "archives",
    "unpack",
    (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst"),
    rb"PK\x03\x04|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x1f\x8b\x08|BZh\d|\xfd7zXZ\0|.{257}ustar",
    picture=False,
)
# A camera's raw picture may begin like a TIFF, so it comes before.
FILE_KINDS = (
    FileKind(
        "raw picture of a camera",
        "raw pictures of cameras",
        "export as TIFF or JPEG",
        (
            *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".orf", ".raf", ".rw2", ".pef", ".srw"),
            *(".3fr", ".iiq", ".x3f"),
        ),
        rb"II\*\0.{4}CR\x02\0|II\x1a\0\0\0HEAPCCDR|.{4}ftypcrx |FUJIFILMCCD-RAW|II(U\0|RO|RS)|MMOR|FOVb",
    ),
    FileKind("JPEG", "JPEGs", _COPY, (".jpg", ".jpeg"), rb"\xff\xd8\xff"),
    FileKind("PNG", "PNGs", _COPY, (".png",), rb"\x89PNG\r\n\x1a\n"),
    TIFF,
    FileKind("GIF", "GIFs", _COPY, (".gif",), rb"GIF8[79]a"),
    FileKind("WebP picture", "WebP pictures", _COPY, (".webp",), rb"RIFF.{4}WEBP"),
    FileKind("BMP", "BMPs", _COPY, (".bmp",), rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0"),
    FileKind("AVIF picture", "AVIF pictures", "save as PNG or JPEG", (".avif",), rb".{4}ftypavi[fs]"),
    FileKind(
        "JPEG 2000 picture",
        "JPEG 2000 pictures",
        "save as PNG or TIFF",
        (".jp2", ".j2k"),
        rb"\0\0\0\x0cjP  \r\n|\xff\x4f\xff\x51",
    ),
    FileKind("file of Photoshop", "files of Photoshop", "save as PNG or TIFF", (".psd",), rb"8BPS\0\x01"),
    FileKind(
        "HEIC picture",
        "HEIC pictures",
        "`pip install pillow-heif` reads HEIC",
        (".heic", ".heif", ".hif"),
        rb".{4}ftyp(hei|hev|mif1|msf1)",
    ),
    FileKind("JPEG XL picture", "JPEG XL pictures", "save as PNG or JPEG", (".jxl",), rb"\xff\x0a|\0\0\0\x0cJXL \r\n"),
    FileKind("JPEG XR picture", "JPEG XR pictures", "save as PNG or TIFF", (".jxr", ".wdp", ".hdp"), rb"II\xbc"),
    FileKind(
        "SVG drawing",
        "SVG drawings",
        "export as PNG",
        (".svg", ".svgz"),
        rb"(\xef\xbb\xbf)?\s*(?!(<!--.*?-->\s*)*<(!doctype\s+)?html)<(.*<)?svg\b",
    ),
    FileKind(
        "PostScript drawing",
        "PostScript drawings",
        "export as PNG",
        (".eps", ".ps", ".ai"),
        rb"%!PS|\xc5\xd0\xd3\xc6",
    ),
    FileKind("PDF", "PDFs", "save the pages as PNG", (".pdf",), rb"%PDF-"),
    FileKind(
        "metafile of Windows",
        "metafiles of Windows",
        "export as PNG",
        (".wmf", ".emf"),
        rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF",
    ),
    FileKind("DICOM file", "DICOM files", "export as PNG or TIFF", (".dcm", ".dicom"), rb".{128}DICM"),
    FileKind(
        "picture of high dynamic range",
        "pictures of high dynamic range",
        "save as TIFF of 16 bits",
        (".exr", ".hdr"),
        rb"v/1\x01|#\?R(ADIANCE|GBE)",
    ),
    FileKind(
        "file of a drawing program",
        "files of drawing programs",
        "export as PNG",
        (".xcf", ".psb", ".kra", ".cdr", ".afphoto"),
        rb"gimp xcf|8BPS\0\x02",
    ),
    FileKind("DjVu file", "DjVu files", "save the pages as PNG", (".djvu", ".djv"), rb"AT&TFORM"),
    FileKind(
        "file of a microscope or slide scanner",
        "files of microscopes or slide scanners",
        "export as TIFF, a slide in parts",
        (
            *(".czi", ".lif", ".nd2", ".oib", ".oif", ".lsm", ".stk", ".zvi", ".vsi", ".ims"),
            *(".svs", ".ndpi", ".mrxs", ".scn", ".bif"),
        ),
        rb"ZISRAWFILE",
    ),
    FileKind(
        "volume",
        "volumes",
        "save the slices as PNG or TIFF",
        (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".mgz"),
        rb"NRRD000|.{344}(n\+1|ni1)\0",
    ),
    FileKind(
        "film",
        "films",
        "save frames as JPEG",
        (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".mts"),
        rb".{4}ftyp(isom|iso\d|mp4\d|avc1|M4V|qt  |3gp)|RIFF.{4}AVI |\x1aE\xdf\xa3|\0\0\x01\xba",
        picture=False,
    ),
    FileKind(
        "file of arrays",
        "files of arrays",
        "save pictures in there as PNG or TIFF",
        (".npy", ".npz", ".h5", ".hdf5", ".mat", ".nc"),
        rb"\x93NUMPY|\x89HDF\r\n|MATLAB 5|CDF[\x01\x02\x05]",
        picture=False,
    ),
    ARCHIVE,
)
_STARTS = {kind: re.compile(kind.start, re.DOTALL | re.IGNORECASE) for kind in FILE_KINDS}


def kind_by_content(head: bytes) -> FileKind | None:
    """Return the kind of a file by `head`, its first `FIRST_BYTES` bytes; None for one that is not known."""
    return next((kind for kind, start in _STARTS.items() if start.match(head)), None)


def kind_by_name(name: str) -> FileKind | None:
    """Return the kind that a file is by the ending of its name; None where that says nothing."""
    name = name.lower()
    by_ending = ((ending, kind) for kind in FILE_KINDS for ending in kind.endings if name.endswith(ending))
    return max(by_ending, key=lambda each: len(each[0]), default=("", None))[1]  # .nii.gz is no .gz
