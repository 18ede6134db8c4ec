"""Build the bundled sets from their source packages, which each script names.

Running GANarium needs neither.
"""
