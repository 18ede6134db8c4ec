"""Train a recipe's networks, loss and penalty in a plain loop, as a baseline for the engine's step.

The loop is the one that one would write first: float32, contiguous memory, one kernel after the other. Adam
is torch.optim's with its defaults, and G gets a new batch of fakes. The step itself is gan/train/step.py's.
"""

import copy

import torch

from gan.config import RunConfig
from gan.data.dataset import Dataset
from gan.models import build_discriminator, build_generator
from gan.train import step
from gan.train.inputs.augment import augment
from gan.train.trainer import model_spec, tell_groups


class Plain:
    """A recipe in a plain loop. `device` is torch's name of the device for data and networks."""

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
        kind = self.config.penalty if self.steps % self.config.penalty_every == 0 else "none"
        for _ in range(self.config.d_steps):
            real, groups = self._batch()
            self._update_d(real, groups, kind)
        self._update_g(real, groups)
        decay = 0.5 ** (self.config.batch / (1000 * self.config.ema)) if self.config.ema else 0.0
        step.update_ema(self.ema, self.G, torch.tensor(decay, device=self.device))
        self.steps += 1

    def _batch(self) -> tuple[torch.Tensor, step.Groups]:
        rows = torch.randint(len(self.images), (self.config.batch,), device=self.device, generator=self.rng)
        real = self.images[rows].float() / 127.5 - 1
        if self.config.flip:
            real = torch.where(
                torch.rand(len(real), 1, 1, 1, device=self.device, generator=self.rng) < 0.5,
                real.flip(3),
                real,
            )
        return real, None if self.groups is None else self.groups[rows]

    def _with_latents(self, real: torch.Tensor, groups: step.Groups) -> step.MicroBatch:
        return step.MicroBatch(
            real,
            groups,
            torch.randn(len(real), self.config.z_dim, device=self.device, generator=self.rng),
            rng=self.rng,
        )

    def _draw(self, batch: step.MicroBatch) -> torch.Tensor:
        return step.generate(self.G, batch)

    def _logits(self, images: torch.Tensor, batch: step.MicroBatch) -> torch.Tensor:
        return self.D(augment(images, self.config.augment, batch.rng), batch.groups)

    @property
    def _game(self) -> step.Game:
        return step.Game(self._draw, self._logits, self.config.loss)

    def _update_d(self, real: torch.Tensor, groups: step.Groups, kind: str) -> None:
        """Update D once, on real images (N, C, H, W) in [-1, 1] and as many fakes."""
        batch = self._with_latents(real, groups)
        with torch.no_grad():
            fake = self._draw(batch)
        step.update_d(
            self.D,
            self.opt_d,
            self._game,
            [batch],
            [fake],
            kind,
            0.5 * self.config.gamma * self.config.penalty_every,
        )

    def _update_g(self, real: torch.Tensor, groups: step.Groups) -> None:
        """Update G once, on new fakes."""
        step.update_g(self.D, self.opt_g, self._game, [self._with_latents(real, groups)], None)
