"""Scripts that built the bundled sets from their sources. They need the source packages named in each;
running GANarium does not.
"""
