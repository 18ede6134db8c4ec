"""Train a GAN on points of the plane, in memory; the step itself is gan/train/step.py.

`PointsTrainer` holds an MLP pair, two Adams, the EMA generator and one counter. It reads no clock and touches
no file. A step's randomness is a function of (seed, step). The order of the points is a function of (seed,
points seen), and each schedule one of points seen / `total_images`.
"""

import copy
import json

import torch
from safetensors.torch import save

from gan.errors import UserError
from gan.kinds import Sheet
from gan.kinds.points.data import PointSet
from gan.kinds.points.metrics import SAMPLES, Scores, diversity, mode_scores, score
from gan.kinds.points.models import Discriminator, Generator
from gan.kinds.points.recipes import PointsConfig
from gan.kinds.points.sheet import SHOWN, draw_sheet
from gan.kinds.points.signals import Signals
from gan.spec import FORMAT, in_order
from gan.train import step
from gan.train.base import BaseTrainer, seed_for
from gan.train.optim import Adam
from gan.train.parallel.parts import RunningStatistics
from gan.train.parallel.team import ALONE, Team


def check_data(config: PointsConfig, points: PointSet) -> None:
    """Raise UserError if a batch is larger than the set."""
    if config.batch > len(points.points):
        raise UserError("points.batch", batch=config.batch, count=len(points.points))


def _chosen(count: int, few: int) -> torch.Tensor:
    """Return the indices of the points to train on: all `count`, or `few` that chance chose once per set."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed_for("few", count)))
    return order[: few or count].sort().values


class PointsTrainer(BaseTrainer):
    """A gan.kinds.Trainer on the CPU. Raises UserError if the batch is larger than the set."""

    SCORES = ("modes", "high_quality", "kl", "diversity")  # see metrics.py
    classes: tuple[str, ...] = ()
    held_out = 0  # new points of a drawn set are unseen, and a file keeps all

    def __init__(self, config: PointsConfig, points: PointSet, team: Team = ALONE):
        check_data(config, points)
        super().__init__(config, torch.device("cpu"), _chosen(len(points.points), config.points), team)
        self.g_steps = config.g_steps
        self.points = points
        self.modes = None if points.modes is None else len(points.modes.centres)
        torch.manual_seed(seed_for(config.seed, "weights"))
        self.G = Generator(config.z_dim, config.width, config.depth)
        self.D = Discriminator(config.width, config.depth)
        self.ema = copy.deepcopy(self.G).requires_grad_(False)
        self.lr_g, self.lr_d = torch.tensor(0.0), torch.tensor(0.0)
        betas = (config.beta1, config.beta2)
        self.opt_g = Adam(self.G.parameters(), self.lr_g, betas)
        self.opt_d = Adam(self.D.parameters(), self.lr_d, betas)
        self.running = RunningStatistics((self.G, self.D))
        rng = torch.Generator().manual_seed(seed_for(config.seed, "grid"))
        self.fixed_z = torch.randn(SAMPLES, config.z_dim, generator=rng)
        self._signals = Signals(self)

    @torch.inference_mode()
    def sample(self, z: torch.Tensor) -> torch.Tensor:
        """Return points (N, 2) of the EMA generator for z (N, z_dim), in the units of the networks."""
        return self.ema(z)

    def scores(self) -> Scores:
        """Return all metrics of the EMA generator's samples for the run's fixed latents."""
        return score(self.points, self.sample(self.fixed_z))

    def sample_sheet(self) -> Sheet:
        """Draw real points and the first SHOWN samples over D's field, as WebP; score all SAMPLES samples."""
        samples = self.sample(self.fixed_z)
        modes = self.points.modes
        found = (None, None, None) if modes is None else mode_scores(samples, modes)
        found = (*found, diversity(samples, self.points.points))
        scores = {
            name: None if value is None else round(value, 5)
            for name, value in zip(self.SCORES, found, strict=True)
        }
        return Sheet(draw_sheet(self.points, samples[:SHOWN], self.D, self.config.loss), scores)

    def measure(self) -> dict[str, float | None]:
        """Return the run's signals."""
        return self._signals.measure()

    def eyes(self, anew: bool = False) -> None:
        """Return nothing: each sheet shows D's whole field."""

    def real_sheet(self) -> None:
        """Return nothing: each sheet shows the real points."""

    def published(self) -> bytes:
        """Return the EMA generator in float32, with its settings and the box in the header.

        Explore does not read it.
        """
        tensors = {name: t.detach().contiguous() for name, t in self.ema.state_dict().items()}
        about = {name: getattr(self.config, name) for name in ("z_dim", "width", "depth")}
        points = json.dumps({**about, "box": list(self.points.box)})
        return in_order(save(tensors, {"format": FORMAT, "points": points}))

    def _set_schedule(self) -> tuple[float, torch.Tensor]:
        """Set the learning rates; return gamma and the EMA's decay () for the next step.

        Gamma falls by equal factors: D must become steep for narrow modes, but not before G covers them.
        """
        config, lr = self.config, self._lr_share()
        self.lr_g.fill_(config.lr_g * lr * self._changed("lr_g"))
        self.lr_d.fill_(config.lr_d * lr * self._changed("lr_d"))
        gamma = config.gamma * config.gamma_end**self.progress * self._changed("gamma")
        return gamma, torch.tensor(self._ema_decay())

    def _next_step(self) -> torch.Tensor:
        """Take one step: d_steps updates of D, g_steps of G, one of the EMA. Returns METRICS (6,)."""
        gamma, decay = self._set_schedule()
        self._seed()
        game = step.Game(self._generate, self._judge, self.config.loss, self._add_up)
        for turn in range(self.config.d_steps):
            real = self._real(self.step * self.config.d_steps + turn)
            batches = self._with_new_z(real)
            with torch.no_grad():
                fakes = [game.generate(batch) for batch in batches]
            d = step.update_d(self.D, self.opt_d, game, batches, fakes, self.config.penalty, 0.5 * gamma)
        for turn in range(self.config.g_steps):
            drawn = self._with_new_z(real) if turn else batches
            step.update_g(self.D, self.opt_g, game, drawn, None)
        step.update_ema(self.ema, self.G, decay)
        self.step += 1
        return d.metrics()

    def _real(self, index: int) -> torch.Tensor:
        """Return the points of real batch number `index` of the run: (N, 2, 1, 1), as losses.py expects."""
        return self.points.points[self._rows(index)][:, :, None, None]

    def _with_new_z(self, real: torch.Tensor) -> list[step.MicroBatch]:
        """Return this rank's micro-batches of real points, with new latents."""
        return self._split(real, None, torch.randn(len(real), self.config.z_dim, generator=self.rng))

    def _generate(self, batch: step.MicroBatch) -> torch.Tensor:
        return self.G(batch.z)[:, :, None, None]

    def _judge(self, points: torch.Tensor, batch: step.MicroBatch) -> torch.Tensor:
        return self.D(points.flatten(1))
