"""`python -m gan`: the commands, one a line."""

from gan import console
from gan.commands import listing

if __name__ == "__main__":
    console.prepare()
    print(f"GANarium trains small GANs and explores their latent space. Each of its commands has --help:\n\n{listing()}")
