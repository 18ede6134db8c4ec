"""The facts about each adversarial loss and each gradient penalty: trainer, cost estimate, verdicts, charts
and formulas read them here.

A new loss takes one entry here and one in `gan.train.losses`, which computes it. This module does not import
torch, so that the page can start without it.

Formulas are text for the page: {D} and {G} are the players, {x} is a real image.
"""

import math
from typing import NamedTuple


class LossFacts(NamedTuple):
    """What is known of a loss.

    formula_d, formula_g: what D and G minimise. paired: whether D's logits count only against those of the
    image that they are paired with; G's loss then reads D's logits on real images. equilibrium: D's and G's
    loss where D cannot tell real from fake, None where there is no such value. undecided: the logit with
    which D says that it cannot tell, None where a single logit says nothing.
    """

    formula_d: str
    formula_g: str
    paired: bool = False
    equilibrium: tuple[float, float] | None = None
    undecided: float | None = None


class PenaltyFacts(NamedTuple):
    """What is known of a penalty.

    formula: what D minimises beside its loss; empty where that is nothing. on_real, on_fake: whether it reads
    the gradient of D's logits with respect to the real images, and to the fakes. losses: the only losses that
    it goes with; empty for all.
    """

    formula: str
    on_real: bool = False
    on_fake: bool = False
    losses: tuple[str, ...] = ()


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
