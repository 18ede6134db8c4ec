"""GANarium's engine: train small GANs and read their latent space. Only `gan.ui` knows about a web page."""
