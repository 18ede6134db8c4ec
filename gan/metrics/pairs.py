"""Compare the two sides of many pairs, as D's logits on real and on generated examples."""

import torch


def share_above(gaps: torch.Tensor) -> float | None:
    """Return the share of the pairs whose first logit is above the second, from the gaps (K,) between them.

    Of all pairs, that is the area under the curve: .5 if D can't tell them apart. Ties count half. None
    without a pair.
    """
    return ((gaps > 0).double().mean() + 0.5 * (gaps == 0).double().mean()).item() if len(gaps) else None


def ratio(value: float, of: float) -> float | None:
    """Return value / of, or None where `of` is not above 0."""
    return value / of if of > 0 else None
