"""The same networks, loss and penalty as a recipe's in the loop that one would write first: what the engine's step is compared with.

float32, contiguous memory, torch.optim.Adam as it comes, one kernel after the other, a fresh batch of fakes for G, the average weight by weight.
"""

import copy
from collections.abc import Callable
from functools import partial

import torch

from gan.augment import augment
from gan.config import RunConfig
from gan.data.dataset import Dataset
from gan.losses import LOSSES, interpolate, squared_gradient
from gan.models import build_discriminator, build_generator
from gan.train.trainer import model_spec, tell_groups

Groups = torch.Tensor | None


class Plain:
    """A recipe in a plain loop. `device` is torch's name of where the pictures are kept and trained on."""

    def __init__(self, config: RunConfig, dataset: Dataset, device: str):
        torch.manual_seed(config.seed)
        self.config, self.images, self.device = config, dataset.images.to(device), device
        spec = model_spec(config, len(dataset.classes))
        self.G, self.D = build_generator(spec).to(device), build_discriminator(spec).to(device)
        self.groups = tell_groups(self.G, config, dataset)
        self.ema = copy.deepcopy(self.G).requires_grad_(False)
        betas = (config.beta1, config.beta2)
        self.opt_g = torch.optim.Adam(self.G.parameters(), lr=config.lr_g, betas=betas)
        self.opt_d = torch.optim.Adam(self.D.parameters(), lr=config.lr_d, betas=betas)
        self.rng = torch.Generator(device).manual_seed(config.seed)
        self.steps = 0

    def advance(self, steps: int) -> None:
        """Take `steps` steps, each of d_steps updates of D and one of G. Does not wait for the device."""
        for _ in range(steps):
            self._step()

    def _step(self) -> None:
        for _ in range(self.config.d_steps):
            real, groups = self._batch()
            self._update_d(real, groups)
        self._update_g(real, groups)
        self._average()
        self.steps += 1

    def _batch(self) -> tuple[torch.Tensor, Groups]:
        rows = torch.randint(len(self.images), (self.config.batch,), device=self.device, generator=self.rng)
        real = self.images[rows].float() / 127.5 - 1
        if self.config.flip:
            real = torch.where(torch.rand(len(real), 1, 1, 1, device=self.device, generator=self.rng) < 0.5, real.flip(3), real)
        return real, None if self.groups is None else self.groups[rows]

    def _draw(self, groups: Groups) -> torch.Tensor:
        z = torch.randn(self.config.batch, self.config.z_dim, device=self.device, generator=self.rng)
        return self.G(z) if groups is None else self.G(*self.G.told.split(z, groups))

    def _logits(self, images: torch.Tensor, groups: Groups) -> torch.Tensor:
        return self.D(augment(images, self.config.augment, self.rng), groups)

    def _update_d(self, real: torch.Tensor, groups: Groups) -> None:
        """One update of D on real images (N, C, H, W) in [-1, 1] and as many fakes."""
        kind = self.config.penalty if self.steps % self.config.penalty_every == 0 else "none"
        with torch.no_grad():
            fake = self._draw(groups)
        real, fake = real.clone().requires_grad_(kind in ("r1", "r1r2")), fake.requires_grad_(kind == "r1r2")
        on_real, on_fake = self._logits(real, groups), self._logits(fake, groups)
        loss = LOSSES[self.config.loss].discriminator(on_real, on_fake)
        if kind != "none":
            weight = 0.5 * self.config.gamma * self.config.penalty_every
            loss = loss + weight * PENALTIES[kind](partial(self._logits, groups=groups), (real, on_real), (fake, on_fake), self.rng)
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()

    def _update_g(self, real: torch.Tensor, groups: Groups) -> None:
        """One update of G, on new fakes."""
        self.D.requires_grad_(False)
        fake = self._draw(groups)
        with torch.no_grad():
            on_real = self._logits(real, groups) if self.config.loss == "relativistic" else fake.new_zeros(len(fake))
        loss = LOSSES[self.config.loss].generator(on_real, self._logits(fake, groups))
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        self.D.requires_grad_(True)

    @torch.no_grad()
    def _average(self) -> None:
        decay = 0.5 ** (self.config.batch / (1000 * self.config.ema)) if self.config.ema else 0.0
        for average, weight in zip(self.ema.parameters(), self.G.parameters(), strict=True):
            average.lerp_(weight, 1 - decay)
        for average, buffer in zip(self.ema.buffers(), self.G.buffers(), strict=True):
            average.copy_(buffer)


Side = tuple[torch.Tensor, torch.Tensor]  # images, and D's logits on them


def _r1(logits: Callable, real: Side, fake: Side, rng: torch.Generator) -> torch.Tensor:
    return squared_gradient(real[1], real[0]).mean()


def _r1r2(logits: Callable, real: Side, fake: Side, rng: torch.Generator) -> torch.Tensor:
    return squared_gradient(real[1], real[0]).mean() + squared_gradient(fake[1], fake[0]).mean()


def _wgan_gp(logits: Callable, real: Side, fake: Side, rng: torch.Generator) -> torch.Tensor:
    between = interpolate(real[0], fake[0], rng)
    return (squared_gradient(logits(between), between).sqrt() - 1).square().mean()


PENALTIES = {"r1": _r1, "r1r2": _r1r2, "wgan_gp": _wgan_gp}
