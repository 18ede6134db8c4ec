"""GANarium's engine: train small GANs and read their latent space. Only `gan.ui` knows about a web page."""

import sys

if sys.argv[:1] == ["-m"]:  # Python has been told to run a module of ours, and is on its way to it
    from gan.cli.commands import refuse_parts

    refuse_parts(sys.orig_argv)
