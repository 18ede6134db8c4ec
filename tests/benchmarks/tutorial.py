"""The DCGAN of PyTorch's tutorial, for comparison: https://pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html

Written from its text, in its own order and with none of what GANarium adds: 64x64, nz = 100, ngf = ndf = 64, weights N(0, .02), binary cross-entropy on a
sigmoid, Adam 2e-4 with beta1 .5, D on a real and then on a fake batch, then G. Only the batch is 64 instead of 128.
"""

import torch
from torch import nn

BATCH, NZ, WIDTH, RATE, BETAS = 64, 100, 64, 2e-4, (0.5, 0.999)
SIZE = 64


class Tutorial:
    """The networks, and a loop that can be stopped between steps."""

    def __init__(self, images: torch.Tensor, seed: int):
        """images: uint8 (N, C, 64, 64)."""
        torch.manual_seed(seed)
        self.images, channels = images, images.shape[1]
        self.generator, self.discriminator = generator(channels).apply(_initialise), discriminator(channels).apply(_initialise)
        self.opt_d = torch.optim.Adam(self.discriminator.parameters(), lr=RATE, betas=BETAS)
        self.opt_g = torch.optim.Adam(self.generator.parameters(), lr=RATE, betas=BETAS)
        self.criterion = nn.BCELoss()
        self.images_seen = 0
        self._order = torch.randperm(len(images))

    def step(self) -> None:
        """One batch of the tutorial's loop."""
        start = self.images_seen % (len(self.images) // BATCH * BATCH)
        if start == 0:
            self._order = torch.randperm(len(self.images))
        real = self.images[self._order[start : start + BATCH]].float() / 127.5 - 1
        self.discriminator.zero_grad()
        self.criterion(self.discriminator(real).view(-1), torch.ones(BATCH)).backward()
        fake = self.generator(torch.randn(BATCH, NZ, 1, 1))
        self.criterion(self.discriminator(fake.detach()).view(-1), torch.zeros(BATCH)).backward()
        self.opt_d.step()
        self.generator.zero_grad()
        self.criterion(self.discriminator(fake).view(-1), torch.ones(BATCH)).backward()
        self.opt_g.step()
        self.images_seen += BATCH

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Images (count, C, 64, 64) in [-1, 1]; as in the tutorial, batch normalisation stays in training mode."""
        return torch.cat([self.generator(torch.randn(BATCH, NZ, 1, 1)) for _ in range(-(-count // BATCH))])[:count]


def generator(channels: int) -> nn.Sequential:
    """z (N, 100, 1, 1) -> images (N, C, 64, 64)."""
    layers: list[nn.Module] = []
    wide = NZ
    for factor in (8, 4, 2, 1):
        layers += [nn.ConvTranspose2d(wide, factor * WIDTH, 4, 1 if factor == 8 else 2, 0 if factor == 8 else 1, bias=False),
                   nn.BatchNorm2d(factor * WIDTH), nn.ReLU(True)]
        wide = factor * WIDTH
    return nn.Sequential(*layers, nn.ConvTranspose2d(wide, channels, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(channels: int) -> nn.Sequential:
    """images (N, C, 64, 64) -> probabilities (N, 1, 1, 1)."""
    layers: list[nn.Module] = [nn.Conv2d(channels, WIDTH, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    wide = WIDTH
    for factor in (2, 4, 8):
        layers += [nn.Conv2d(wide, factor * WIDTH, 4, 2, 1, bias=False), nn.BatchNorm2d(factor * WIDTH), nn.LeakyReLU(0.2, inplace=True)]
        wide = factor * WIDTH
    return nn.Sequential(*layers, nn.Conv2d(wide, 1, 4, 1, 0, bias=False), nn.Sigmoid())


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
