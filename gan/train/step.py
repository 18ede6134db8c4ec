"""One training step of a GAN: an update of D, one of G, and one of G's moving average.

    update_d     D minimises  loss.discriminator(D(x), D(G(z))) + weight · penalty
    update_g     G minimises  loss.generator(D(x), D(G(z)))
    update_ema   average  ←   decay · average + (1 - decay) · G

x are real images and z latents. Samples for people come from the average. The losses and the gradient
penalties (R1, R2, WGAN-GP) are in losses.py. The penalty's weight is gamma / 2, times n if only every n-th
step has a penalty.

A batch is a list of micro-batches: a single one if memory suffices. Otherwise each is weighted by its share
of the batch, and the accumulated gradients equal those of the whole batch. A team of processes shares the
micro-batches out (parallel/). `add_up` then adds the processes' gradients and statistics before each update.

The functions take networks, optimizers and tensors, and know no clock, file, config or device. Their
callers are the trainers of all kinds, the cost estimate on the meta device, and the plain benchmark.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn

from gan.models import ImageGenerator
from gan.objectives import LOSSES as LOSS_FACTS
from gan.objectives import PENALTIES as PENALTY_FACTS
from gan.train.losses import LOSSES, PENALTIES, Judged

# (n,) int64: class · clusters + cluster of each image, which conditions G and D; None without conditioning
Groups = torch.Tensor | None


class Optimizer(Protocol):
    """gan.train.optim.Adam, or torch.optim.Adam."""

    def zero_grad(self) -> None: ...
    def step(self) -> object: ...


class MicroBatch(NamedTuple):
    """The real images and the latents of a batch, or of a part of it."""

    real: torch.Tensor  # (n, C, H, W) in [-1, 1]
    groups: Groups  # of the real images; G draws a fake for each of them
    z: torch.Tensor  # (n, z_dim)
    share: float = 1.0  # n as a fraction of the batch, in (0, 1]
    rng: torch.Generator | None = None  # for augmentation and WGAN-GP; None is torch's default
    part: int = 0  # its place among the micro-batches of this process


class Game(NamedTuple):
    """G and D as functions, with the loss between them. The trainer adds autocast and augmentation here."""

    generate: Callable[[MicroBatch], torch.Tensor]  # G's samples (n, C, H, W) in [-1, 1]
    # images (n, C, H, W), and the micro-batch with their groups -> D's logits (n,) float32
    judge: Callable[[torch.Tensor, MicroBatch], torch.Tensor]
    loss: str  # a name in LOSSES
    # adds up the optimizer's gradients and these statistics over a team, in place
    add_up: Callable[[Any, Sequence[torch.Tensor]], None] = lambda optimizer, statistics: None


class Judgement(NamedTuple):
    """What D's update knows of a micro-batch, detached."""

    loss: torch.Tensor  # (), mean over the micro-batch, times its share
    penalty: torch.Tensor  # () the same, before its weight
    on_real: torch.Tensor  # (n,), D's logits on the real images
    on_fake: torch.Tensor  # (n,), D's logits on the fakes


class UpdateOfD(NamedTuple):
    """The statistics of one update of D: detached means over the batch, () each.

    All come from the same logits, those before the update, so the losses of D and G can be compared.
    """

    loss: torch.Tensor
    loss_g: torch.Tensor  # G's loss; G's own update meets a D that has just learnt from these fakes
    penalty: torch.Tensor  # before its weight
    real: torch.Tensor  # D's logits on the real images
    fake: torch.Tensor  # D's logits on the fakes
    pair: torch.Tensor  # whether D rates a real image above its fake: 1 or 0
    sign: torch.Tensor  # of D's belief that a real image is real: 1 or -1 (r_t of ADA)

    def metrics(self) -> torch.Tensor:
        """Return the statistics of a step: gan.train.base.METRICS (6,)."""
        return torch.stack([self.loss, self.loss_g, self.real, self.fake, self.pair, self.penalty])


def generate(G: ImageGenerator, batch: MicroBatch) -> torch.Tensor:
    """Return G's samples (n, C, H, W) for a micro-batch's latents, conditioned on its groups."""
    return G(batch.z) if batch.groups is None else G(*G.class_conditioning().split(batch.z, batch.groups))


def update_d(
    D: nn.Module,
    optimizer: Optimizer,
    game: Game,
    batches: Sequence[MicroBatch],
    fakes: Sequence[torch.Tensor],
    penalty: str,
    weight: float | torch.Tensor,
) -> UpdateOfD:
    """Update D once.

    fakes: G's samples for each micro-batch, detached. penalty: a name in PENALTIES.
    """
    optimizer.zero_grad()
    parts = [
        accumulate_d_gradients(D, game, batch, fake, penalty, weight)
        for batch, fake in zip(batches, fakes, strict=True)
    ]
    update = describe(game.loss, batches, parts)
    game.add_up(optimizer, update)
    optimizer.step()
    return update


def describe(loss: str, batches: Sequence[MicroBatch], parts: Sequence[Judgement]) -> UpdateOfD:
    """Return the statistics of an update of D: sums of the micro-batches' means, weighted by their shares."""
    facts, of_g = LOSS_FACTS[loss], LOSSES[loss].generator
    each = []
    for batch, (of_loss, penalty, on_real, on_fake) in zip(batches, parts, strict=True):
        believed = on_real - (on_fake if facts.paired else facts.undecided or 0.0)
        means = [t.mean() for t in (on_real, on_fake, (on_real > on_fake).float(), believed.sign())]
        means.insert(0, of_g(on_real, on_fake))
        loss_g, *rest = means if batch.share == 1 else [batch.share * mean for mean in means]
        each.append([of_loss, loss_g, penalty, *rest])
    return UpdateOfD(*(sum(values[1:], values[0]) for values in zip(*each, strict=True)))


def accumulate_d_gradients(
    D: nn.Module,
    game: Game,
    batch: MicroBatch,
    fake: torch.Tensor,
    penalty: str,
    weight: float | torch.Tensor,
) -> Judgement:
    """Add one micro-batch's gradients to D's."""
    objective, judgement = d_objective(game, batch, fake, penalty, weight)
    # only D's parameters: for the penalty the images require grad too, but nobody needs their gradients
    objective.backward(inputs=list(D.parameters()))
    return judgement


def d_objective(
    game: Game, batch: MicroBatch, fake: torch.Tensor, penalty: str, weight: float | torch.Tensor
) -> tuple[torch.Tensor, Judgement]:
    """Return the scalar that D minimises on a micro-batch, with its terms and logits."""
    facts = PENALTY_FACTS[penalty]
    real = batch.real.requires_grad_(facts.on_real)
    fake = fake.requires_grad_(facts.on_fake)
    on_real, on_fake = game.judge(real, batch), game.judge(fake, batch)
    loss = batch.share * LOSSES[game.loss].discriminator(on_real, on_fake)
    size = batch.share * PENALTIES[penalty](
        lambda images: game.judge(images, batch),
        Judged(real, on_real),
        Judged(fake, on_fake),
        batch.rng,
    )
    return loss + weight * size, Judgement(loss.detach(), size.detach(), on_real.detach(), on_fake.detach())


def update_g(
    D: nn.Module,
    optimizer: Optimizer,
    game: Game,
    batches: Sequence[MicroBatch],
    fakes: Sequence[torch.Tensor] | None,
) -> None:
    """Update G once.

    fakes: G's samples for each micro-batch, with the graph back to G's parameters. With None, each
    micro-batch is generated again: keeping the graphs of all of them would use the memory that micro-batches
    save.
    """
    optimizer.zero_grad()
    D.requires_grad_(False)
    try:
        for at, batch in enumerate(batches):
            accumulate_g_gradients(game, batch, game.generate(batch) if fakes is None else fakes[at])
    finally:  # also after an out-of-memory error: the run then goes on with smaller micro-batches
        D.requires_grad_(True)
    game.add_up(optimizer, [])
    optimizer.step()


def accumulate_g_gradients(game: Game, batch: MicroBatch, fake: torch.Tensor) -> None:
    """Add one micro-batch's gradients to G's."""
    with torch.no_grad():  # only a paired (relativistic) loss of G depends on D's logits on real images
        on_real = game.judge(batch.real, batch) if LOSS_FACTS[game.loss].paired else fake.new_zeros(len(fake))
    loss = batch.share * LOSSES[game.loss].generator(on_real, game.judge(fake, batch))
    loss.backward()


@torch.no_grad()
def update_ema(average: nn.Module, network: nn.Module, decay: torch.Tensor) -> None:
    """Set average to decay · average + (1 - decay) · network; copy buffers. decay: () in [0, 1]."""
    averages: list[torch.Tensor] = list(average.parameters())
    weights: list[torch.Tensor] = list(network.parameters())
    # not _foreach_lerp_: its weight must be a Python number, and reading one waits for the device
    torch._foreach_mul_(averages, decay)
    torch._foreach_add_(averages, torch._foreach_mul(weights, 1 - decay))
    for own, theirs in zip(average.buffers(), network.buffers(), strict=True):
        own.copy_(theirs)
