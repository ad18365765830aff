"""One thread inside, and what there was before outside, whatever happens."""

import os
import subprocess
import sys

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


def test_blocks_that_overlap_in_two_threads_share_one_limit():
    """The first one in has left before the second one has: it is still limited, and what there was comes back."""
    program = """
import threading, numpy, scipy.linalg
from threadpoolctl import threadpool_info
from elsa_nb.threads import one_blas_thread, one_thread

def threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

def overlap(first, second):
    first_in, second_in, first_out, over = (threading.Event() for _ in range(4))
    def leave_first():
        with first():
            first_in.set()
            second_in.wait()
        first_out.set()
        over.wait()  # as a thread of the panel, it lives on
    def leave_last():
        first_in.wait()
        with second():
            second_in.set()
            first_out.wait()
            print(threads(), end=" ")
    both = [threading.Thread(target=each) for each in (leave_first, leave_last)]
    [each.start() for each in both]
    both[1].join()
    print(threads(), end=" ")
    over.set()

overlap(one_blas_thread, one_blas_thread)
overlap(one_thread, one_blas_thread)
overlap(one_blas_thread, one_thread)
"""
    assert printed(program, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2") == "{1} {2} " * 2 + "{1} {2}"


THEIRS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_WAIT_POLICY")


def printed(program, **given):
    kept = {name: value for name, value in os.environ.items() if name not in THEIRS}
    return subprocess.check_output([sys.executable, "-c", program], env=kept | given, text=True).strip()


def test_numba_and_torch_take_no_more_threads_than_a_job_was_given():
    """They share one OpenMP, which numba starts with as many threads as it believes to have."""
    program = (
        "import torch, elsa_nb, numba; from elsa_nb.threads import one_thread\n"
        "with one_thread():\n    pass\n"
        "print(numba.get_num_threads(), torch.get_num_threads())"
    )
    assert printed(program, OMP_NUM_THREADS="1") == "1 1"


def test_threads_that_wait_leave_the_core_to_others_unless_told_otherwise():
    program = "import os, elsa_nb; print(os.environ['OMP_WAIT_POLICY'])"
    assert printed(program) == "PASSIVE"
    assert printed(program, OMP_WAIT_POLICY="active") == "active"


@pytest.mark.parametrize("given", ["0", "3,2", "", "many"])
def test_what_is_no_number_of_threads_changes_nothing(given):
    program = "import os, elsa_nb; print(os.environ.get('NUMBA_NUM_THREADS'))"
    assert printed(program, OMP_NUM_THREADS=given) == "None"


def test_who_names_the_threads_of_numba_is_obeyed():
    program = "import os, elsa_nb; print(os.environ['NUMBA_NUM_THREADS'])"
    assert printed(program, OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="2") == "2"
