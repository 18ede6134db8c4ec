"""GANarium's engine: train small GANs and explore their latent space. Only `gan.ui` knows the web page."""

import sys

if sys.argv[:1] == ["-m"]:  # `python -m gan...`: Python imports this package before it runs the module
    from gan.cli.commands import refuse_parts

    refuse_parts(sys.orig_argv)
