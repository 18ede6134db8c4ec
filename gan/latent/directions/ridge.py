"""Ridge regression (Hoerl and Kennard 1970) with a penalty from leave-one-out cross-validation.

The leave-one-out error has a closed form (PRESS, Allen 1974).
"""

from typing import NamedTuple

import torch

# penalties to try, in multiples of (number of samples) * (mean variance of an input)
PENALTIES = 10.0 ** torch.arange(-4, 3, dtype=torch.float64)


class Ridge(NamedTuple):
    """The linear model y = centre + (x - middle) @ weights.

    `explained` is the leave-one-out R²: the share of the variance of y that the model predicts. It may be
    negative.
    """

    weights: torch.Tensor  # (D,) float32
    middle: torch.Tensor  # (D,)
    centre: torch.Tensor  # ()
    explained: float

    @classmethod
    def fit(cls, x: torch.Tensor, y: torch.Tensor) -> "Ridge":
        """Fit y (N,) on x (N, D)."""
        middle, centre = x.double().mean(0), y.double().mean()
        left, sizes, right = torch.linalg.svd(x.double() - middle, full_matrices=False)
        target = y.double() - centre
        along, whole = left.T @ target, target.square().sum()
        if whole <= 1e-12 * max(1.0, centre.square().item()) * len(y):
            return cls(torch.zeros(x.shape[1]), middle.float(), centre.float(), 0.0)
        tried = []
        for penalty in PENALTIES * sizes.square().mean():
            shrink = sizes.square() / (sizes.square() + penalty)
            leverage = left.square() @ shrink + 1 / len(y)
            missed = ((target - left @ (shrink * along)) / (1 - leverage).clamp_min(1e-6)).square().sum()
            tried.append((missed.item(), penalty))
        least, penalty = min(tried, key=lambda pair: pair[0])
        weights = right.T @ (sizes / (sizes.square() + penalty) * along)
        return cls(weights.float(), middle.float(), centre.float(), 1 - least / whole.item())

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        """Predictions (N,) for x (N, D)."""
        return self.centre + (x - self.middle) @ self.weights
