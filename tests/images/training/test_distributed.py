"""Two processes give the gradients, statistics and parameters of one process with the whole batch."""

import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from test_methods import SETTINGS, method_of, views_of

from elsa_nb.images.encoders.small_resnet import METHODS
from elsa_nb.images.training import distributed
from elsa_nb.images.training.optimisers import make_optimiser

COUNT = 2


def gradients(name, views, rank=0, count=1):
    """One step's gradients of this process's part of the views, and the batch normalisations' statistics."""
    method = method_of(name, SETTINGS.get(name))
    n = len(views[0]) // count
    parts = method([view[rank * n : (rank + 1) * n] for view in views], torch.Generator().manual_seed(9))
    parts["loss"].backward()
    distributed.average_gradients(method)
    make_optimiser(method, "lars", name, 0.1, 1e-3).step()
    told = {f"{key} gradient": p.grad for key, p in method.named_parameters() if p.grad is not None}
    told |= {key: p.detach() for key, p in method.named_parameters()}
    if method.synchronised:
        told |= {key: b for key, b in method.named_buffers() if "running" in key or "vocabularies" in key}
    return told | {"place": method.state_dict().get("queue", torch.zeros(1))}


def work(rank, port, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=COUNT)
    told = {name: gradients(name, views_of(name), rank, COUNT) for name in METHODS}
    torch.save(told, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(work, (port, str(folder)), nprocs=COUNT)
    return [torch.load(folder / f"{rank}.pt") for rank in range(COUNT)]


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_two_processes_equal_one_with_the_whole_batch(told, name):
    whole = gradients(name, views_of(name))
    for part in told:
        assert set(part[name]) == set(whole)
        for key, value in whole.items():
            # A bias before a batch normalisation has a gradient of 0, but for rounding.
            difference = (part[name][key] - value).float().norm() / value.float().norm().clamp(min=0.1)
            assert difference < 1e-4, (key, difference)


def test_in_one_process_nothing_is_done():
    x = torch.rand(4, 3, requires_grad=True)
    assert distributed.processes() == (0, 1)
    assert distributed.gather_rows(x) is distributed.total(x) is x
    assert torch.equal(distributed.own(x), x)
    layer = distributed.synchronise(torch.nn.Sequential(torch.nn.BatchNorm1d(3)))
    plain = torch.nn.BatchNorm1d(3)
    torch.testing.assert_close(layer(x), plain(x), rtol=0, atol=0)
    torch.testing.assert_close(layer[0].running_var, plain.running_var, rtol=0, atol=0)
    with pytest.raises(ValueError, match=r"\(4, 3, 2\)"):
        layer(torch.rand(4, 3, 2))
