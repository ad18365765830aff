"""One thread inside, and what there was before outside, whatever happens."""

import numba
import pytest
from threadpoolctl import threadpool_info

from elsa_nb.threads import one_thread


def threads():
    return numba.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]


def test_threads_are_limited_inside_and_given_back_after_an_error():
    before = threads()
    with one_thread():
        inside = threads()
    assert inside == (1, [1] * len(before[1]))
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert threads() == before
