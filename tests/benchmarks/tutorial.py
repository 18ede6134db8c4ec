"""The DCGAN of PyTorch's tutorial, for comparison:
https://pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html

Written from its text, in its own order and with none of what GANarium adds: 64x64, nz = 100, ngf = ndf = 64,
weights N(0, .02), binary cross-entropy on a sigmoid, Adam 2e-4 with beta1 .5, D on a real and then on a fake
batch, then G; float32 without autocast, and the five numbers that it reads from the device in every step.
Only the batch is 64 instead of 128, and batches come from memory instead of from a DataLoader, which makes it
faster.
"""

import torch
from torch import nn

from gan.models.dcgan import initialise

BATCH, NZ, WIDTH, RATE, BETAS = 64, 100, 64, 2e-4, (0.5, 0.999)
SIZE = 64


class Tutorial:
    """The networks, and a loop that can be stopped between steps."""

    def __init__(self, images: torch.Tensor, seed: int, device: str = "cpu"):
        """images: uint8 (N, C, 64, 64); device: torch's name of where they are kept and trained on."""
        torch.manual_seed(seed)
        self.device, self.images, channels = device, images.to(device), images.shape[1]
        self.generator, self.discriminator = (
            net(channels).apply(initialise).to(device) for net in (generator, discriminator)
        )
        self.opt_d = torch.optim.Adam(self.discriminator.parameters(), lr=RATE, betas=BETAS)
        self.opt_g = torch.optim.Adam(self.generator.parameters(), lr=RATE, betas=BETAS)
        self.criterion = nn.BCELoss()
        self.images_seen = 0
        self.read: dict[str, float] = {}
        self._order = torch.randperm(len(images), device=device)

    def advance(self, steps: int) -> None:
        """Take `steps` steps of the tutorial's loop."""
        for _ in range(steps):
            self._step()

    def _step(self) -> None:
        real = self._batch()
        ones, zeros = torch.ones(BATCH, device=self.device), torch.zeros(BATCH, device=self.device)
        self.discriminator.zero_grad()
        output = self.discriminator(real).view(-1)
        error_real = self.criterion(output, ones)
        error_real.backward()
        self.read["D(x)"] = output.mean().item()
        fake = self.generator(torch.randn(BATCH, NZ, 1, 1, device=self.device))
        output = self.discriminator(fake.detach()).view(-1)
        error_fake = self.criterion(output, zeros)
        error_fake.backward()
        self.read["D(G(z)) before"] = output.mean().item()
        self.opt_d.step()
        self.generator.zero_grad()
        output = self.discriminator(fake).view(-1)
        error_g = self.criterion(output, ones)
        error_g.backward()
        self.read["D(G(z)) after"] = output.mean().item()
        self.opt_g.step()
        self.read |= {"D loss": (error_real + error_fake).item(), "G loss": error_g.item()}
        self.images_seen += BATCH

    def _batch(self) -> torch.Tensor:
        start = self.images_seen % (len(self.images) // BATCH * BATCH)
        if start == 0:
            self._order = torch.randperm(len(self.images), device=self.device)
        return self.images[self._order[start : start + BATCH]].float() / 127.5 - 1

    @torch.no_grad()
    def draw(self, z: torch.Tensor) -> torch.Tensor:
        """Images (N, C, 64, 64) in [-1, 1] of z (N, 100); as in the tutorial, batch normalisation stays in
        training mode, so N should be 64.
        """
        return self.generator(z[:, :, None, None].to(self.device))


def generator(channels: int) -> nn.Sequential:
    """z (N, 100, 1, 1) -> images (N, C, 64, 64)."""
    layers: list[nn.Module] = []
    wide = NZ
    for factor in (8, 4, 2, 1):
        layers += [
            nn.ConvTranspose2d(
                wide, factor * WIDTH, 4, 1 if factor == 8 else 2, 0 if factor == 8 else 1, bias=False
            ),
            nn.BatchNorm2d(factor * WIDTH),
            nn.ReLU(True),
        ]
        wide = factor * WIDTH
    return nn.Sequential(*layers, nn.ConvTranspose2d(wide, channels, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(channels: int) -> nn.Sequential:
    """images (N, C, 64, 64) -> probabilities (N, 1, 1, 1)."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, WIDTH, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
    ]
    wide = WIDTH
    for factor in (2, 4, 8):
        layers += [
            nn.Conv2d(wide, factor * WIDTH, 4, 2, 1, bias=False),
            nn.BatchNorm2d(factor * WIDTH),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        wide = factor * WIDTH
    return nn.Sequential(*layers, nn.Conv2d(wide, 1, 4, 1, 0, bias=False), nn.Sigmoid())
