"""What the generators of all architectures share."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from gan.models.conditioning import Blend, ClassConditioning


class ImageGenerator(nn.Module):
    """Generates images (N, C, H, W) in [-1, 1] from z (N, z_dim), labels (N,) or None, and a blend or None.

    `conditioning` is None in a generator without classes and clusters.
    """

    z_dim: int
    conditioning: ClassConditioning | None

    def first_layer(
        self, z: torch.Tensor, labels: torch.Tensor | None, blend: Blend | None = None
    ) -> torch.Tensor:
        """Return the activations of the first layer, after its nonlinearity: (N, features)."""
        raise NotImplementedError

    def first_matrix(self) -> torch.Tensor:
        """Return the matrix that multiplies z before the first nonlinearity: (features, z_dim).

        It includes the scale of the batch normalisation in evaluation mode.
        """
        raise NotImplementedError

    def class_conditioning(self) -> ClassConditioning:
        """Return `conditioning`, of a generator that has it."""
        assert self.conditioning is not None, "a generator without classes and clusters"
        return self.conditioning


def scale_of(norm: nn.BatchNorm2d) -> torch.Tensor:
    """Return the factor of each channel in evaluation mode: (channels,)."""
    assert norm.running_var is not None, "a batch normalisation without statistics"
    return norm.weight / (norm.running_var + norm.eps).sqrt()


# torch's random initialisers that the layers of generators call
_DRAWS = (
    nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_, torch.Tensor.normal_, torch.Tensor.uniform_,
)  # fmt: skip


class _WithoutValues(TorchFunctionMode):
    """Leave out the random initialisation of weights, and the values of torch.linspace(start, end, steps)."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in _DRAWS:
            return args[0] if args else kwargs["tensor"]
        if func is torch.linspace:
            return torch.empty(args[2])
        return func(*args, **kwargs)


@contextlib.contextmanager
def without_memory() -> Iterator[None]:
    """Build networks on the "meta" device, where tensors have shapes but no memory and no values.

    For such values torch would import its compiler and sympy, which takes 2 s of a core in each process.
    """
    with torch.device("meta"), _WithoutValues():
        yield
