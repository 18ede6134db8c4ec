"""One training step of a GAN, on one page.

    update_d D minimises loss.discriminator(D(x), D(G(z))) + weight · penalty for real images x and latents z
    update_g      G minimises   loss.generator(D(x), D(G(z)))
    update_ema the average becomes decay · average + (1 - decay) · G which draws all samples that people see

Plain functions of networks, optimizers and tensors. The trainer calls them on a run's networks, the cost
estimate on shapes alone, and the plain benchmark loop with torch's own Adam. A batch is a list of
micro-batches: one where the memory suffices, else several, whose gradients add up to those of the batch.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import nn

from gan.objectives import LOSSES as LOSS_FACTS
from gan.objectives import PENALTIES as PENALTY_FACTS
from gan.train.losses import LOSSES, PENALTIES, Judged

# (n,) int64: the group of each image, by class and cluster, that G and D are told; None where they are told
# nothing
Groups = torch.Tensor | None


class Optimizer(Protocol):
    """torch.optim.Adam, or ours."""

    def zero_grad(self) -> None: ...
    def step(self) -> object: ...


class MicroBatch(NamedTuple):
    """Some of a batch: real images (n, C, H, W) in [-1, 1], their groups, latents (n, z_dim), and the share
    of the batch that they are, in (0, 1].
    """

    real: torch.Tensor
    groups: Groups
    z: torch.Tensor
    share: float = 1.0


class Game(NamedTuple):
    """What both players play by.

    generate: G's samples (n, C, H, W) in [-1, 1] for the latents of a micro-batch, each of its group.
    judge: D's logits (n,) float32 on images (n, C, H, W) of these groups, augmented where the run augments.
    loss: a name of LOSSES.
    rng: where random penalties draw from, None for torch's default.
    """

    generate: Callable[[MicroBatch], torch.Tensor]
    judge: Callable[[torch.Tensor, Groups], torch.Tensor]
    loss: str
    rng: torch.Generator | None = None


class UpdateOfD(NamedTuple):
    """What an update of D was: loss and penalty (), means over the batch, and D's logits on its real and fake
    images (N,); all detached.
    """

    loss: torch.Tensor
    penalty: torch.Tensor
    on_real: torch.Tensor
    on_fake: torch.Tensor


def generate(G: nn.Module, batch: MicroBatch) -> torch.Tensor:
    """G's samples (n, C, H, W) for the latents of a micro-batch, each as if of the group of its
    real image.
    """
    return G(batch.z) if batch.groups is None else G(*G.conditioning.split(batch.z, batch.groups))


def update_d(
    D: nn.Module,
    optimizer: Optimizer,
    game: Game,
    batches: Sequence[MicroBatch],
    fakes: Sequence[torch.Tensor],
    penalty: str,
    weight: float | torch.Tensor,
) -> UpdateOfD:
    """Update D once. `fakes` are G's samples for each micro-batch, detached; `penalty` is a name of
    PENALTIES.
    """
    optimizer.zero_grad()
    told = [
        accumulate_d_gradients(D, game, batch, fake, penalty, weight)
        for batch, fake in zip(batches, fakes, strict=True)
    ]
    optimizer.step()
    losses, penalties, on_real, on_fake = zip(*told, strict=True)
    return UpdateOfD(sum(losses), sum(penalties), torch.cat(on_real), torch.cat(on_fake))


def accumulate_d_gradients(
    D: nn.Module,
    game: Game,
    batch: MicroBatch,
    fake: torch.Tensor,
    penalty: str,
    weight: float | torch.Tensor,
) -> UpdateOfD:
    """Add a micro-batch's gradients to D's."""
    objective, told = d_objective(game, batch, fake, penalty, weight)
    # only to D's weights: the penalty makes leaves of the images, whose gradients nobody needs
    objective.backward(inputs=list(D.parameters()))
    return told


def d_objective(
    game: Game, batch: MicroBatch, fake: torch.Tensor, penalty: str, weight: float | torch.Tensor
) -> tuple[torch.Tensor, UpdateOfD]:
    """What D minimises on a micro-batch: a scalar, with what it is made of."""
    facts = PENALTY_FACTS[penalty]
    real = batch.real.requires_grad_(facts.on_real)
    fake = fake.requires_grad_(facts.on_fake)
    on_real, on_fake = game.judge(real, batch.groups), game.judge(fake, batch.groups)
    loss = batch.share * LOSSES[game.loss].discriminator(on_real, on_fake)
    size = batch.share * PENALTIES[penalty](
        lambda images: game.judge(images, batch.groups),
        Judged(real, on_real),
        Judged(fake, on_fake),
        game.rng,
    )
    return loss + weight * size, UpdateOfD(loss.detach(), size.detach(), on_real.detach(), on_fake.detach())


def update_g(
    D: nn.Module,
    optimizer: Optimizer,
    game: Game,
    batches: Sequence[MicroBatch],
    fakes: Sequence[torch.Tensor] | None,
) -> torch.Tensor:
    """Update G once, and return its loss: the mean over the batch ().

    fakes: G's samples for each micro-batch with the graph that led to them. None: each micro-batch is
    generated again when its turn comes, because to keep the graphs of all of them alive would take the memory
    that micro-batches save.
    """
    optimizer.zero_grad()
    D.requires_grad_(False)
    try:
        losses = [
            accumulate_g_gradients(game, batch, game.generate(batch) if fakes is None else fakes[at])
            for at, batch in enumerate(batches)
        ]
    finally:  # else D would stay as it is where the memory is full, and could not learn from the next batch
        D.requires_grad_(True)
    optimizer.step()
    return sum(losses)


def accumulate_g_gradients(game: Game, batch: MicroBatch, fake: torch.Tensor) -> torch.Tensor:
    """Add a micro-batch's gradients to G's, and return what it adds to the loss."""
    with torch.no_grad():
        on_real = (
            game.judge(batch.real, batch.groups)
            if LOSS_FACTS[game.loss].paired
            else fake.new_zeros(len(fake))
        )
    loss = batch.share * LOSSES[game.loss].generator(on_real, game.judge(fake, batch.groups))
    loss.backward()
    return loss.detach()


@torch.no_grad()
def update_ema(average: nn.Module, network: nn.Module, decay: torch.Tensor) -> None:
    """Move the average towards the network: decay · average + (1 - decay) · network for the weights, copies
    for the buffers. decay: () in [0, 1].
    """
    averages, weights = list(average.parameters()), list(network.parameters())
    # Not _foreach_lerp_: it takes its weight as a Python number, and would wait for the device to read it.
    torch._foreach_mul_(averages, decay)
    torch._foreach_add_(averages, torch._foreach_mul(weights, 1 - decay))
    for own, theirs in zip(average.buffers(), network.buffers(), strict=True):
        own.copy_(theirs)
