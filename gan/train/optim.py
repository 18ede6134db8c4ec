"""Adam on PyTorch's fused kernel, without the cost of torch.optim.Adam.

torch.optim.Adam imports torch's whole compiler when it is constructed: 2 s of one core and 150 MB in each
training process. Nothing is compiled here.
"""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.adam import adam

EPS = 1e-8


class Adam:
    """Adam (Kingma & Ba, 2015) with bias correction, without weight decay.

    It skips parameters without a gradient. `lr` is a 0-d tensor that may change between steps. `capturable`
    keeps all state on the device, so that a CUDA graph can capture the step.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: torch.Tensor,
        betas: tuple[float, float],
        capturable: bool = False,
    ):
        self.parameters = list(parameters)
        self.lr, self.betas, self.capturable = lr, betas, capturable
        # by index in self.parameters: step (0-d), exp_avg and exp_avg_sq (the shape of the parameter)
        self.state: dict[int, dict[str, torch.Tensor]] = {}

    def zero_grad(self) -> None:
        """Drop all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters from their gradients."""
        moved = [
            (index, parameter, parameter.grad)
            for index, parameter in enumerate(self.parameters)
            if parameter.grad is not None
        ]
        states = [self.state.get(index) or self._begin(index, parameter) for index, parameter, _ in moved]
        adam(
            [parameter for _, parameter, _ in moved],
            [slope for _, _, slope in moved],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            capturable=self.capturable,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=self.lr,
            weight_decay=0.0,
            eps=EPS,
            maximize=False,
        )

    def _begin(self, index: int, parameter: nn.Parameter) -> dict[str, torch.Tensor]:
        state = {"step": torch.zeros((), device=parameter.device)}
        self.state[index] = state | {
            name: torch.zeros_like(parameter, memory_format=torch.preserve_format)
            for name in ("exp_avg", "exp_avg_sq")
        }
        return self.state[index]

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the state as a flat dict with the keys `<index>.step`, `.exp_avg` and `.exp_avg_sq`."""
        return {
            f"{index}.{name}": value for index, state in self.state.items() for name, value in state.items()
        }

    @torch.no_grad()
    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Replace the state with a copy of `tensors`, in the format of that method."""
        self.state = {}
        for key, value in tensors.items():
            place, name = key.split(".", 1)
            parameter = self.parameters[int(place)]
            # in the parameter's memory format, because the fused kernel reads both as flat memory
            kept = (
                torch.empty_like(parameter)
                if value.shape == parameter.shape
                else torch.empty_like(value, device=parameter.device)
            )
            self.state.setdefault(int(place), {})[name] = kept.copy_(value)
