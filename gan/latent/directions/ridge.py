"""Ridge regression (Hoerl and Kennard 1970) whose penalty is chosen by leaving each sample out once, in
closed form (Allen 1974's PRESS).
"""

from typing import NamedTuple

import torch

# in multiples of the number of samples times the mean variance of an input
PENALTIES = 10.0 ** torch.arange(-4, 3, dtype=torch.float64)


class Ridge(NamedTuple):
    """y = centre + (x - middle) @ weights. `explained`: the share of y's variance that it explains of samples
    it has not seen; below 0, none.
    """

    weights: torch.Tensor  # (D,) float32
    middle: torch.Tensor  # (D,)
    centre: torch.Tensor  # ()
    explained: float

    @classmethod
    def fit(cls, x: torch.Tensor, y: torch.Tensor) -> "Ridge":
        """The regression of y (N,) on x (N, D)."""
        middle, centre = x.double().mean(0), y.double().mean()
        left, sizes, right = torch.linalg.svd(x.double() - middle, full_matrices=False)
        target = y.double() - centre
        along, whole = left.T @ target, target.square().sum()
        if whole <= 1e-12 * max(1.0, centre.square().item()) * len(y):
            return cls(torch.zeros(x.shape[1]), middle.float(), centre.float(), 0.0)
        best = None
        for penalty in PENALTIES * sizes.square().mean():
            shrink = sizes.square() / (sizes.square() + penalty)
            leverage = left.square() @ shrink + 1 / len(y)
            missed = ((target - left @ (shrink * along)) / (1 - leverage).clamp_min(1e-6)).square().sum()
            if best is None or missed < best[0]:
                best = missed, penalty
        weights = right.T @ (sizes / (sizes.square() + best[1]) * along)
        return cls(weights.float(), middle.float(), centre.float(), (1 - best[0] / whole).item())

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        """y (N,) for x (N, D)."""
        return self.centre + (x - self.middle) @ self.weights
