"""A program that trains a run as the terminal does, and is killed before a step."""


def killed_before(step: int) -> str:
    """Return the code of `python -m gan train ARGUMENTS` that writes a checkpoint after every chunk."""
    return f"""
import os, signal, sys
from gan.cli.train import main
from gan.train.trainer import Trainer
from gan.worker import worker
step = Trainer._next_step
def killed(self):
    if self.step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self)
Trainer._next_step = killed
worker.STATE_SECONDS = worker.CHUNK_SECONDS = 0.01
main(sys.argv[1:])
"""
