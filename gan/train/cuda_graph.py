"""Run a training step as a CUDA graph: capture each kind of step once, then replay it.

`torch.cuda.make_graphed_callables` refuses double backward. So one graph captures the whole step: both
updates, the penalties and the moving average. The step must read values that change from device tensors. They
are the schedule, the rows of the batch and the seeds of the registered random generators. In a team, the
graph holds the collectives too, so all ranks must replay together. This module does not depend on GANs.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

import torch

Kind = TypeVar("Kind", bound=Hashable)
Work = Callable[[], torch.Tensor]
# (replay, the tensor that holds the result after a replay)
Recording = tuple[Callable[[], None], torch.Tensor]
WARM_UP = 3  # eager steps before a capture, in which libraries pick algorithms and Adam creates its state


class Recorder(NamedTuple):
    """How to run work before its capture, and how to capture it without running it."""

    warm_up: Callable[[Work], torch.Tensor]
    capture: Callable[[Work, Sequence[torch.Generator]], Recording]


def _warm_up(work: Work) -> torch.Tensor:
    """Run on a separate stream, because autograd's records of the default stream can't be captured."""
    stream, usual = torch.cuda.Stream(), torch.cuda.current_stream()
    stream.wait_stream(usual)
    try:
        with torch.cuda.stream(stream):
            return work()
    finally:  # also after an error: later work must not overwrite tensors that this stream still uses
        usual.wait_stream(stream)


def _capture(work: Work, rngs: Sequence[torch.Generator]) -> Recording:
    graph = torch.cuda.CUDAGraph()
    for rng in rngs:
        graph.register_generator_state(rng)
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        result = work()
    return graph.replay, result


CUDA = Recorder(_warm_up, _capture)


class GraphedStep(Generic[Kind]):
    """Calls `step(kind)`: eagerly the first WARM_UP times of each kind, then as a replay of its graph.

    Each call is one whole training step, warm-up included, so a run takes the same steps with or without
    graphs. The next replay overwrites the result. Graphs refer to memory addresses: an optimizer with a new
    state needs a new GraphedStep.
    """

    def __init__(
        self,
        step: Callable[[Kind], torch.Tensor],
        rngs: Sequence[torch.Generator],
        recorder: Recorder = CUDA,
    ):
        """rngs: all generators that the step draws from; the caller may add to them before a capture."""
        self.step, self.rngs, self.recorder = step, rngs, recorder
        self.taken: Counter[Kind] = Counter()
        self.recorded: dict[Kind, Recording] = {}

    def __call__(self, kind: Kind) -> torch.Tensor:
        if kind in self.recorded:
            replay, result = self.recorded[kind]
            replay()
            return result
        self.taken[kind] += 1
        if self.taken[kind] <= WARM_UP:
            return self.recorder.warm_up(lambda: self.step(kind))
        self.recorded[kind] = self.recorder.capture(lambda: self.step(kind), self.rngs)
        return self(kind)
