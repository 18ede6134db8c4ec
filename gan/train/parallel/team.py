"""A team: the processes that torchrun starts to train one run, one on each GPU. A team of one needs no other.

Each rank holds the same weights. Rank r works on part r of each batch. Before an update, one all_reduce of a
flat buffer adds up the ranks' gradients, so that all make the same update. A micro-batch is weighted by its
share of the batch, so the sums are means over the batch. README.md says how to start a team.

torch's DistributedDataParallel is no way to do this: with static_graph and a gradient penalty it gives wrong
gradients (torch 2.14.1), and its hooks can't be captured with the rest of a step.
"""

import datetime
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
import torch.distributed as dist

# Ranks wait so long for rank 0, which may be decoding or downloading the images.
PATIENCE = datetime.timedelta(hours=1)
Result = TypeVar("Result")


class TeamLost(Exception):
    """Another rank has ended, so this one can't go on. torchrun starts all of them again."""


class Team:
    """This process's rank among `size` processes. All ranks must call each method at the same point."""

    def __init__(self, rank: int = 0, size: int = 1):
        self.rank, self.size = rank, size

    @property
    def first(self) -> bool:
        """Whether this is rank 0, which alone owns the directory of the run."""
        return self.rank == 0

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor by its sum over the ranks, in place, by one all_reduce. All on one device."""
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        _try(lambda: dist.all_reduce(flat))
        parts = flat.split([tensor.numel() for tensor in tensors])
        sums = [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]
        torch._foreach_copy_(list(tensors), sums)

    def share(self, tensor: torch.Tensor) -> None:
        """Replace a tensor by rank 0's, in place."""
        if self.size > 1:
            _try(lambda: dist.broadcast(tensor, 0))

    def agree(self, numbers: Sequence[float]) -> list[float]:
        """Return rank 0's numbers. Those of the other ranks count only by their number."""
        told = torch.tensor(numbers, dtype=torch.float64)
        self.share(told)
        return told.tolist()

    def worst(self, code: int) -> int:
        """Return the largest code of all ranks."""
        if self.size == 1:
            return code
        told = torch.tensor(code)
        _try(lambda: dist.all_reduce(told, dist.ReduceOp.MAX))
        return int(told)


ALONE = Team()


def _try(collective: Callable[[], Result]) -> Result:
    """Run a collective. Raises TeamLost if another rank has ended."""
    try:
        return collective()
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise TeamLost(str(error)) from error


def size_of_team() -> int:
    """Return the number of processes in this process's team, by its environment."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join() -> Team:
    """Join the team that the environment names: RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT.

    torchrun sets them, and so do accelerate, Ray and SkyPilot. Without WORLD_SIZE the team is this
    process alone. A rank uses GPU number LOCAL_RANK. Tensors on a GPU travel by NCCL, those on a CPU by gloo.
    """
    if size_of_team() == 1:
        return ALONE
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if not dist.is_initialized():
        _try(lambda: _begin("cpu:gloo,cuda:nccl" if gpu else "gloo"))
    return Team(dist.get_rank(), dist.get_world_size())


def _begin(backend: str) -> None:
    """Meet the other ranks in the store that the environment names.

    torchrun keeps one store for all starts on a machine. A rank that starts again would find the address of
    one that has ended, so each start has its own part of the store. The machines of several nodes count
    their starts each for itself; there torch's own way stays.
    """
    store, rank, size = next(iter(dist.rendezvous("env://", timeout=PATIENCE)))
    if os.environ.get("GROUP_WORLD_SIZE", "1") == "1":
        store = dist.PrefixStore(f"start {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)


def leave() -> None:
    """End this process's part in its team, so that it exits without a warning."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
