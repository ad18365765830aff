"""The smallest values of each row of a matrix that never exists as a whole, offered block by block.

A row has room for more than twice its k values: a value below the row's limit is appended, and only when the room is
full are the smallest picked, and the limit lowered to the largest of them. So nearly every value costs one comparison,
sixteen per instruction. Nothing here is parallel: the caller's threads work on different rows.
"""

import numpy as np
from numba import njit, types
from numba.extending import overload


class Shortlist:
    """The `k` smallest values offered to each of `m` rows, with the column each came from.

    `limits` (m,) float32: every value that was offered and is not held is at least that. They begin at infinity, or
    where the caller sets them, and only fall.
    """

    def __init__(self, m: int, k: int):
        self.k = k
        room = 2 * k + 256
        self._columns = np.empty((m, room), np.int32)
        self._values = np.empty((m, room), np.float32)
        self._counts = np.zeros(m, np.int64)
        self.limits = np.full(m, np.inf, np.float32)

    @staticmethod
    def bytes(m: int, k: int) -> int:
        """Return the memory that a shortlist of `m` rows takes."""
        return 8 * m * (2 * k + 256)

    def offer(self, products: np.ndarray, norms: np.ndarray, first: int, start: int = 0) -> None:
        """Offer norms[j] - 2 products[i, j] to row start + i, as from column first + j.

        `products` (m, w) are float32, or uint16: the bits of bfloat16, which is the upper half of a float32.
        """
        _offer(products, norms, first, start, self.k, self._columns, self._values, self._counts, self.limits)

    def offer_across(self, products: np.ndarray, norms: np.ndarray, first: int, start: int = 0) -> None:
        """Offer norms[i] - 2 products[i, j] to row start + j, as from column first + i: the block read across."""
        _offer_across(products, norms, first, start, self.k, self._columns, self._values, self._counts, self.limits)

    def smallest(self, rows: slice = slice(None)) -> np.ndarray:
        """Return the columns (m, k) int32 of the `k` smallest values of some rows, in no order; -1 where fewer came.

        Where values are left out, limits are lowered to the largest value returned.
        """
        columns, values = self._columns[rows], self._values[rows]
        _pick_all(self.k, columns, values, self._counts[rows], self.limits[rows])
        return columns[:, : self.k]


def in_single(norms: np.ndarray) -> np.ndarray:
    """Return squared lengths as float32, infinite where they are beyond it."""
    with np.errstate(over="ignore"):
        return norms.astype(np.float32)


@njit(cache=True, nogil=True)
def _pick(k, columns, values, count):
    """Move the `k` smallest of the first `count` values to the front; return the largest of them."""
    pivot = np.partition(values[:count], k - 1)[k - 1]
    equal = k  # how many values equal to the pivot there is room for
    for j in range(count):
        if values[j] < pivot:
            equal -= 1
    kept = 0
    for j in range(count):
        value = values[j]
        if value < pivot or (value == pivot and equal > 0):
            if value == pivot:
                equal -= 1
            values[kept] = value
            columns[kept] = columns[j]
            kept += 1
    return pivot


@njit(cache=True, nogil=True)
def _append(row, value, column, k, columns, values, counts, limits):
    count = counts[row]
    values[row, count] = value
    columns[row, count] = column
    counts[row] = count + 1
    if count + 1 == values.shape[1]:
        limits[row] = _pick(k, columns[row], values[row], count + 1)
        counts[row] = k


def values_of(products: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Return norms[j] - 2 products[i, j], (m, w) float32, of `products` (m, w) as `Shortlist.offer` takes them."""
    if products.dtype == np.uint16:
        products = (products.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # as in the loops: infinite values prove nothing
        return norms - 2 * products


def _single(product):
    """Return one product as float32 in compiled loops."""
    raise NotImplementedError


@overload(_single, inline="always")
def _single_of(product):
    if product == types.uint16:
        return lambda product: np.uint32(np.uint32(product) << np.uint32(16)).view(np.float32)
    return lambda product: product


# The comparisons are written as bytes and looked at eight at a time: that compiles to vector instructions.
@njit(cache=True, nogil=True, fastmath={"contract"})
def _offer(products, norms, first, start, k, columns, values, counts, limits):
    m, w = products.shape
    flags = np.zeros((w + 7) // 8 * 8, np.uint8)
    words = flags.view(np.uint64)
    for i in range(m):
        row = start + i
        product, limit = products[i], limits[row]
        for j in range(w):
            flags[j] = norms[j] - np.float32(2) * _single(product[j]) < limit
        for word in range(len(words)):
            if words[word]:
                for j in range(8 * word, min(8 * word + 8, w)):
                    value = norms[j] - np.float32(2) * _single(product[j])
                    if value < limits[row]:
                        _append(row, value, first + j, k, columns, values, counts, limits)


@njit(cache=True, nogil=True, fastmath={"contract"})
def _offer_across(products, norms, first, start, k, columns, values, counts, limits):
    m, w = products.shape
    flags = np.zeros((w + 7) // 8 * 8, np.uint8)
    words = flags.view(np.uint64)
    theirs = limits[start : start + w]
    for i in range(m):
        product, norm = products[i], norms[i]
        for j in range(w):
            flags[j] = norm - np.float32(2) * _single(product[j]) < theirs[j]
        for word in range(len(words)):
            if words[word]:
                for j in range(8 * word, min(8 * word + 8, w)):
                    value = norm - np.float32(2) * _single(product[j])
                    if value < limits[start + j]:
                        _append(start + j, value, first + i, k, columns, values, counts, limits)


@njit(cache=True, nogil=True)
def _pick_all(k, columns, values, counts, limits):
    for row in range(len(counts)):
        if counts[row] > k:
            limits[row] = min(limits[row], _pick(k, columns[row], values[row], counts[row]))
            counts[row] = k
        columns[row, counts[row] : k] = -1
