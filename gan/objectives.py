"""The facts about each adversarial loss and gradient penalty, free of torch.

Trainer, cost estimate, verdicts, charts and formulas read them, and the page can start without torch. A new
loss takes one entry here and one in `gan.train.losses`, which computes it. Formulas are text for the page:
{D} and {G} are the players, {x} is a real image.
"""

import math
from typing import NamedTuple


class LossFacts(NamedTuple):
    """The facts about a loss."""

    formula_d: str  # D minimises this
    formula_g: str  # G minimises this
    # whether the loss compares D's logits on paired reals and fakes; G's loss then reads both
    paired: bool = False
    # D's and G's loss if D can't tell real from fake; None if undefined
    equilibrium: tuple[float, float] | None = None
    # D's logit if it can't tell real from fake; None if a single logit has no meaning
    undecided: float | None = None


class PenaltyFacts(NamedTuple):
    """The facts about a gradient penalty."""

    formula: str  # the term that D minimises beside its loss; "" for none
    on_real: bool = False  # whether it reads the gradient of D's logits with respect to the real images
    on_fake: bool = False  # the same for the fakes
    losses: tuple[str, ...] = ()  # the losses that it works with; empty for all


LOSSES: dict[str, LossFacts] = {
    "relativistic": LossFacts(
        "softplus( {D}({G}(z)) − {D}({x}) )",
        "softplus( {D}({x}) − {D}({G}(z)) )",
        paired=True,
        equilibrium=(math.log(2), math.log(2)),
    ),
    "relativistic_hinge": LossFacts(
        "max(0, 1 + {D}({G}(z)) − {D}({x}))",
        "max(0, 1 + {D}({x}) − {D}({G}(z)))",
        paired=True,
        equilibrium=(1.0, 1.0),
    ),
    "nonsaturating": LossFacts(
        "softplus( −{D}({x}) ) + softplus( {D}({G}(z)) )",
        "softplus( −{D}({G}(z)) )",
        equilibrium=(2 * math.log(2), math.log(2)),
        undecided=0.0,
    ),
    "hinge": LossFacts(
        "max(0, 1 − {D}({x})) + max(0, 1 + {D}({G}(z)))",
        "−{D}({G}(z))",
        equilibrium=(2.0, 0.0),
        undecided=0.0,
    ),
    "least_squares": LossFacts(
        "½ ({D}({x}) − 1)² + ½ {D}({G}(z))²", "½ ({D}({G}(z)) − 1)²", equilibrium=(0.25, 0.125), undecided=0.5
    ),
    "wasserstein": LossFacts("{D}({G}(z)) − {D}({x})", "−{D}({G}(z))"),
}

PENALTIES: dict[str, PenaltyFacts] = {
    "none": PenaltyFacts(""),
    "r1": PenaltyFacts("γ⁄2 ‖∇{D}({x})‖²", on_real=True),
    "r1r2": PenaltyFacts("γ⁄2 ( ‖∇{D}({x})‖² + ‖∇{D}({G}(z))‖² )", on_real=True, on_fake=True),
    "wgan_gp": PenaltyFacts("γ⁄2 ( ‖∇{D}(x̂)‖ − 1 )²", losses=("wasserstein",)),
}
