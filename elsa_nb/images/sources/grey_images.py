"""Grey images of 32x32 pixels and 16 levels, two pixels per byte: how the glyph pool is kept on disk and in memory."""

import hashlib

import numpy as np

SIDE = 32
LEVELS = 16  # grey levels, 0 = paper, 15 = ink
PACKED = SIDE * SIDE // 2  # bytes per image


def pack(levels: np.ndarray) -> np.ndarray:
    """Pack grey levels 0..15, uint8 (n, 32, 32), as uint8 (n, 512); the left pixel of two is the upper half byte."""
    flat = levels.reshape(len(levels), SIDE * SIDE)
    return (flat[:, ::2] << 4) | flat[:, 1::2]


def unpack(packed: np.ndarray) -> np.ndarray:
    """Undo `pack`: uint8 (n, 512) to grey levels 0..15, uint8 (n, 32, 32)."""
    levels = np.empty((len(packed), SIDE * SIDE), np.uint8)
    levels[:, ::2] = packed >> 4
    levels[:, 1::2] = packed & 15
    return levels.reshape(-1, SIDE, SIDE)


def digests(packed: np.ndarray, purpose: bytes) -> np.ndarray:
    """Return one 64-bit number per image, uint64 (n,), that depends on its pixels and on `purpose` alone.

    Sorting by it is a shuffle that needs no random generator, and so gives the same order with every library version.
    """
    rows = np.ascontiguousarray(packed)
    hashes = b"".join(hashlib.blake2b(row, digest_size=8, key=purpose).digest() for row in rows)
    return np.frombuffer(hashes, dtype="<u8").astype(np.uint64)
