"""Give a trainer at step 0 the weights of another model.

G and its average begin with the loaded generator, and D with the loaded discriminator if there is one. The
optimizers begin anew. Class embeddings are loaded where classes and clusters are the same; else they begin
anew. See Origin for the files.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from gan.errors import UserError
from gan.models import ImageGenerator, ModelSpec, load_generator, read_tensors
from gan.spec import read_header, read_spec
from gan.train.origin import DISCRIMINATOR, GENERATOR
from gan.train.trainer import Trainer

CONDITIONING = ("conditioning.", "projection.")  # the first words of names of class embeddings, in G and D
# The shares of clusters in a generator's file have half precision.
SAME_SHARES = 1e-3

State = dict[str, torch.Tensor]


class Beginning(NamedTuple):
    """What the run began with: "loaded", "anew", or "none" where neither network has classes or clusters."""

    discriminator: str
    conditioning: str


def load_start(trainer: Trainer, folder: Path, classes: tuple[str, ...]) -> Beginning:
    """Load the model in `folder` into a trainer at step 0.

    classes: the names of the model's classes. Raises UserError for a damaged file and for other shapes.
    """
    loaded, spec = load_generator(folder / GENERATOR)
    for name, theirs in spec.shape().items():
        ours = getattr(trainer.spec, name)
        if theirs != ours:
            raise UserError("start.shape", title=GENERATOR, name=name, theirs=theirs, ours=ours)
    same = _same_groups(loaded, spec, trainer, classes)
    trainer.G.load_state_dict(_of_generator(trainer.G, loaded.state_dict(), same))
    trainer.ema.load_state_dict(trainer.G.state_dict())
    found = (folder / DISCRIMINATOR).is_file()
    if found:
        theirs = _read_discriminator(folder / DISCRIMINATOR, spec)
        trainer.D.load_state_dict(
            _of_discriminator(trainer, theirs, same, bool(spec.groups) == bool(trainer.spec.groups))
        )
    conditioned = bool(trainer.spec.groups or spec.groups)
    return Beginning("loaded" if found else "anew", ("loaded" if same else "anew") if conditioned else "none")


def _same_groups(loaded: ImageGenerator, spec: ModelSpec, trainer: Trainer, classes: tuple[str, ...]) -> bool:
    """Return whether each pair of class and cluster means the same to both.

    Clusters are the same if their shares are: they then come from the same images.
    """
    ours = trainer.spec
    if (spec.num_classes, spec.clusters) != (ours.num_classes, ours.clusters) or (
        ours.num_classes and classes != trainer.classes
    ):
        return False
    if ours.clusters == 1:
        return True
    theirs, own = loaded.class_conditioning().ends, trainer.G.class_conditioning().ends.cpu()
    return bool(torch.allclose(theirs, own, rtol=0, atol=SAME_SHARES))


def _of_generator(G: nn.Module, theirs: State, same: bool) -> State:
    """Return the state to load into G.

    The first layer reads z and the class embedding. If only one of the two models has classes, the inputs
    that both have are loaded: those of z.
    """
    state = {}
    for name, own in G.state_dict().items():
        if name.endswith(".ends"):  # the shares of the run's own clusters
            state[name] = own
        elif name.startswith(CONDITIONING):
            state[name] = theirs[name] if same else own
        elif theirs[name].shape == own.shape:
            state[name] = theirs[name]
        else:
            both = tuple(slice(min(a, b)) for a, b in zip(own.shape, theirs[name].shape, strict=True))
            state[name] = own.clone()
            state[name][both] = theirs[name][both].to(own)
    return state


def _of_discriminator(trainer: Trainer, theirs: State, same: bool, like: bool) -> State:
    """Return the state to load into D. like: both models have classes, or neither has.

    If not, the last layer has another number of outputs and begins anew. Raises UserError for a D of other
    networks.
    """
    state = {}
    for name, own in trainer.D.state_dict().items():
        begins_anew = name.startswith(CONDITIONING) and not same
        if begins_anew or (not like and name in theirs and theirs[name].shape != own.shape):
            state[name] = own
        elif name not in theirs or theirs[name].shape != own.shape:
            raise UserError("models.damaged", path=DISCRIMINATOR, reason="other tensors")
        else:
            state[name] = theirs[name].to(own.dtype)
    return state


def _read_discriminator(path: Path, spec: ModelSpec) -> State:
    """Return the tensors of a discriminator's file, on the CPU. Raises UserError for a damaged file."""
    try:
        if read_spec(read_header(path)[1]) != spec:
            raise ValueError("a discriminator of other networks")
        tensors = read_tensors(path)
    # safetensors, json and torch each raise their own exceptions on a damaged file.
    except Exception as error:
        raise UserError("models.damaged", path=path.name, reason=type(error).__name__) from error
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise UserError("models.not_finite", path=path.name)
    return tensors
