"""Train the DCGAN of PyTorch's tutorial, for comparison:
https://pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html

The code follows the tutorial's text and order, and has none of GANarium's additions. Sizes are 64x64, nz =
100 and ngf = ndf = 64, with weights from N(0, .02). The loss is binary cross-entropy on a sigmoid, and Adam
has 2e-4 with beta1 .5. D trains on a real batch and then on a fake batch, and then G trains. All is float32
without autocast. Every step reads the tutorial's five numbers from the device.

Two things differ: the batch is 64 instead of 128, and batches come from memory instead of from a DataLoader.
The second makes it faster.
"""

import torch
from torch import nn

from gan.models.dcgan import initialise

BATCH, NZ, WIDTH, RATE, BETAS = 64, 100, 64, 2e-4, (0.5, 0.999)
SIZE = 64


class Tutorial:
    """The tutorial's networks, and its loop, which can stop between steps."""

    def __init__(self, images: torch.Tensor, seed: int, device: str = "cpu"):
        """Build both networks on `device`, and keep the images there.

        images: uint8 (N, C, 64, 64)
        device: torch's name
        """
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
        """Map z (N, 100) to samples (N, C, 64, 64) in [-1, 1].

        As in the tutorial, batch normalisation stays in training mode, so N should be 64.
        """
        return self.generator(z[:, :, None, None].to(self.device))


def generator(channels: int) -> nn.Sequential:
    """Map z (N, 100, 1, 1) to samples (N, C, 64, 64)."""
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
    """Map images (N, C, 64, 64) to probabilities (N, 1, 1, 1)."""
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
