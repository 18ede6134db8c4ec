"""What each part of a batch has for itself: a random stream, and the statistics that a forward pass changes.

A batch has one part, or several if memory or a team of processes splits it. Each part then begins a step with
the same running statistics of batch norm, and the mean over the parts remains. So it makes no difference
which process works on a part.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import nn

AVERAGED = ("running_mean", "running_var")  # of batch norm: they depend on the images
# these count or follow the forward passes alone: of batch norm, and of spectral normalisation
COUNTED = ("num_batches_tracked", "_u", "_v")


class RunningStatistics:
    """The buffers of networks that a forward pass changes, with a copy for each further part of a batch."""

    def __init__(self, nets: Sequence[nn.Module]):
        self._places = [
            (module, name)
            for net in nets
            for module in net.modules()
            for name, _ in module.named_buffers(recurse=False)
            if name in AVERAGED + COUNTED
        ]
        self._kept = [module.get_buffer(name) for module, name in self._places]
        self._copies: list[list[torch.Tensor]] = []
        self._part = 0

    def averaged(self) -> list[torch.Tensor]:
        """Return the statistics that `merge` averages, as the networks keep them."""
        return list(self._those(self._kept))

    def _those(self, buffers: list[torch.Tensor]) -> Iterator[torch.Tensor]:
        return (buffer for buffer, (_, name) in zip(buffers, self._places, strict=True) if name in AVERAGED)

    def begin(self, parts: int) -> None:
        """Begin a step: each of `parts` parts starts with what the networks keep."""
        while len(self._copies) < parts - 1:
            self._copies.append([buffer.clone() for buffer in self._kept])
        for copies in self._copies[: parts - 1]:
            if copies:
                torch._foreach_copy_(copies, self._kept)

    def use(self, part: int) -> None:
        """Let the networks use and change the statistics of this part."""
        if part != self._part:
            self._part = part
            buffers = self._copies[part - 1] if part else self._kept
            for (module, name), buffer in zip(self._places, buffers, strict=True):
                setattr(module, name, buffer)

    def merge(self, parts: int, of: int) -> None:
        """Keep the sum of the parts' statistics divided by `of`: their mean, or a rank's share of it."""
        self.use(0)
        if of == 1 or not self.averaged():
            return
        mean = self.averaged()
        torch._foreach_mul_(mean, 1 / of)
        for copies in self._copies[: parts - 1]:
            torch._foreach_add_(mean, torch._foreach_mul(list(self._those(copies)), 1 / of))
