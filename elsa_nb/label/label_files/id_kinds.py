"""What an id looks like: a file, a path without an ending, or a text of another kind, such as a number or a formula.

A file goes by many paths, with or without its ending, in any letter case. Other texts mean nothing but themselves:
12 is not 12.25, `C/C=C/C` and `C\\C=C/C` are two molecules, and list?page=1 and list?page=2 are two pages.
"""

import re
from functools import lru_cache
from typing import Literal

from elsa_nb.pictures.decoding import endings

IdLook = Literal["file", "path", "text"]
# Of pictures, films, sounds, texts and arrays. A list, because ".25" and ".11" are no endings, nor is ".Cl" of a salt.
_ENDINGS = """
    jpg jpeg jpe jfif jp2 j2k jpx jxl png apng gif bmp dib tif tiff webp heic heif avif ico svg eps ppm pgm pbm pnm
    tga psd dds exr hdr pcx xcf raw dng cr2 cr3 nef arw orf rw2 raf dcm dicom nii gz mha mhd nrrd
    svs ndpi mrxs scn czi lif nd2 fit fits fts mp4 mov avi mkv webm m4v mpg mpeg wmv wav mp3 flac ogg opus m4a aac wma
    aif aiff qptiff pic img gpr insp zarr
    txt md pdf doc docx odt rtf htm html xml json jsonl csv tsv tex eml msg log srt
    npy npz h5 hdf5 mat parquet obj ply stl glb gltf pcd las laz fasta fastq pdb sdf mol mol2
"""
_READ = (ending.lstrip(".") for ending in endings() if ending[1:].isalpha())  # pictures that are read here
_FILE = re.compile(rf"[^\\/]\.(?:{'|'.join((*_ENDINGS.split(), *_READ))})\s*\Z", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"://|\?\w+=")  # a web address with a query: what it asks for is part of its name
LOCAL_FILES = re.compile(r"local-files/?\?d=")  # Label Studio's address of a file: the query is its path
_PATH = re.compile(r"(?=.*[^\W\d_])(?:[A-Za-z]:)?[\\/]?[\w .,@+-]{2,}(?:[\\/]+[\w .,@+-]{2,})+")


@lru_cache(1 << 12)  # of candidates that are compared in several spellings
def look_of(item: str) -> IdLook:
    """Return what an id looks like."""
    asks = "?" in item and _IN_ADDRESS.search(item) is not None and LOCAL_FILES.search(item) is None
    if not asks and _FILE.search(item):
        return "file"
    return "path" if _PATH.fullmatch(item.strip()) else "text"
