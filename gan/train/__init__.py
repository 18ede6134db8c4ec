"""Training: one step, the trainer that advances by chunks, exact-resume state, health, and the worker that
drives them on a run directory.
"""

import os

# How long a thread of torch's OpenMP spins before it sleeps; read when torch is imported. With the usual
# 300,000 a niced worker of two threads falls to a fifth of its speed as soon as other programs keep both
# cores busy (16 against 90 images/s), because each thread spins while the other waits for a core; with this
# it loses some 5 % on an idle machine.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")
