"""A training step as CUDA graphs: recorded once for each kind of step, then started as a whole instead of
kernel by kernel.

`torch.cuda.make_graphed_callables` refuses double backward, so that the whole step (both updates, the
penalties and the average) is captured at once. What differs from step to step must lie in device tensors that
the step reads: the schedule, the rows of the batch, and the seed of the registered random generator. This
module knows nothing of GANs.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from typing import NamedTuple

import torch

Work = Callable[[], torch.Tensor]
# what replays it, and the tensor that then holds its result
Recording = tuple[Callable[[], None], torch.Tensor]
# steps taken eagerly before a capture: libraries pick their algorithms and optimizers create their state in
# them
WARM_UP = 3


class Recorder(NamedTuple):
    """How a piece of work is run before its recording, and how it is recorded without being run."""

    warm_up: Callable[[Work], torch.Tensor]
    capture: Callable[[Work, torch.Generator], Recording]


def _warm_up(work: Work) -> torch.Tensor:
    """On a stream of its own, because what autograd remembers of the default stream can't be captured."""
    stream, usual = torch.cuda.Stream(), torch.cuda.current_stream()
    stream.wait_stream(usual)
    try:
        with torch.cuda.stream(stream):
            return work()
    finally:  # also where it broke off: what is then put in the place of its tensors must not be overtaken
        usual.wait_stream(stream)


def _capture(work: Work, rng: torch.Generator) -> Recording:
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(rng)
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        result = work()
    return graph.replay, result


CUDA = Recorder(_warm_up, _capture)


class GraphedStep:
    """Calls `step(kind)`: the first WARM_UP times of each kind as it is, from then on as that kind's
    recording.

    The result of a recorded step is overwritten by the next one. Every call is a whole step, warm-up
    included, so that a run takes the same steps with graphs as without. Recordings name memory: where
    optimizers are given another state, there has to be another of these.
    """

    def __init__(
        self, step: Callable[[Hashable], torch.Tensor], rng: torch.Generator, recorder: Recorder = CUDA
    ):
        self.step, self.rng, self.recorder = step, rng, recorder
        self.taken: Counter[Hashable] = Counter()
        self.recorded: dict[Hashable, Recording] = {}

    def __call__(self, kind: Hashable) -> torch.Tensor:
        if kind in self.recorded:
            replay, result = self.recorded[kind]
            replay()
            return result
        self.taken[kind] += 1
        if self.taken[kind] <= WARM_UP:
            return self.recorder.warm_up(lambda: self.step(kind))
        self.recorded[kind] = self.recorder.capture(lambda: self.step(kind), self.rng)
        return self(kind)
