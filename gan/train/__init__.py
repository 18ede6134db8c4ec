"""Training: the step, the trainer, checkpoints, and the self-test that tunes them to the machine."""

import os

# Rounds that a thread of torch's OpenMP spins before it sleeps; torch reads this at import. The default is
# 300,000. With it, a niced worker of two threads falls from 90 to 16 images/s when other programs use both
# cores: each thread spins while the other waits for a core. This value costs about 5 % on an idle machine.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")
