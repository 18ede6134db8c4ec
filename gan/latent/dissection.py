"""What goes on inside a generator: the feature maps of its layers, and pictures with some units switched off
or amplified.

GAN Dissection (Bau et al. 2019, "Visualizing and Understanding Generative Adversarial Networks"): a unit, one
channel of a layer, is understood by what its map shows and by what goes missing from the picture when the
unit is set to zero.
"""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import nn

from gan.errors import UserError
from gan.images import encode_png, grid, pack
from gan.models import dcgan, modern
from gan.models.conditioning import Blend

if TYPE_CHECKING:
    from gan.latent.generator import Model
    from gan.latent.point import Point

Units = tuple[tuple[int, int, float], ...]  # (layer, unit, factor)

SHOWN = 64  # units of a layer in one answer
COLUMNS = 8  # of the sheet of their maps
SIDE = 32  # pixels of a map, at most
CHUNK = 4  # pictures in a turn


def _after(*modules: nn.Module) -> list[nn.Module]:
    return [
        module for each in modules for module in each.modules() if isinstance(module, (nn.ReLU, nn.LeakyReLU))
    ]


# Kind of generator -> the modules whose outputs (N, C, H, W) are its layers, from z to the picture. The first
# nonlinearity of `modern` is no module; a factor of 0 or more in front of it does the same as behind it.
LAYERS: dict[type[nn.Module], Callable[[Any], list[nn.Module]]] = {
    modern.Generator: lambda generator: [generator.norm, *_after(generator.blocks)],
    dcgan.Generator: lambda generator: _after(generator.first, generator.blocks),
}


class Dissection:
    """A generator whose units can be seen and changed, beside the one it was made of, with which it shares
    its weights. For one thread at a time.
    """

    def __init__(self, generator: nn.Module):
        shared = {id(tensor): tensor for tensor in (*generator.parameters(), *generator.buffers())}
        self.generator = copy.deepcopy(generator, shared)
        self._gains: dict[int, torch.Tensor] = {}
        self._seen: list[torch.Tensor] | None = None
        modules = LAYERS[type(generator)](self.generator)
        for layer, module in enumerate(modules):
            module.register_forward_hook(self._hook(layer))
        self.widths = [
            next(m for m in _before(self.generator, module) if isinstance(m, nn.BatchNorm2d)).num_features
            for module in modules
        ]

    def draw(
        self,
        z: torch.Tensor,
        labels: torch.Tensor | None,
        blend: Blend | None = None,
        units: Units = (),
        off: tuple[int, list[int]] | None = None,
    ) -> torch.Tensor:
        """Images (N, C, H, W) in [-1, 1] with units multiplied by factors; off: a layer and N of its units,
        each of which is 0 in one of the pictures.

        Raises UserError for a unit that there is not.
        """
        self._gains = self._all_gains(units)
        if off is not None:
            layer, each = off
            gain = self._gains.get(layer, torch.ones(1, self.widths[layer], 1, 1)).repeat(len(each), 1, 1, 1)
            gain[range(len(each)), each] = 0
            self._gains[layer] = gain
        try:
            return self.generator(z, labels, blend)
        finally:
            self._gains = {}

    def look(
        self, z: torch.Tensor, labels: torch.Tensor | None, blend: Blend | None = None, units: Units = ()
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Images, and what each layer gives, (N, C, h, w) >= 0, before its own units are changed."""
        self._seen = []
        try:
            images = self.draw(z, labels, blend, units)
            return images, [F.relu(seen) for seen in self._seen]
        finally:
            self._seen = None

    def _all_gains(self, units: Units) -> dict[int, torch.Tensor]:
        gains: dict[int, torch.Tensor] = {}
        for layer, unit, factor in units:
            if layer >= len(self.widths) or unit >= self.widths[layer]:
                raise UserError("latent.unknown_unit", layer=layer + 1, unit=unit)
            gains.setdefault(layer, torch.ones(1, self.widths[layer], 1, 1))[0, unit] = factor
        return gains

    def _hook(self, layer: int) -> Callable[..., torch.Tensor | None]:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor | None:
            if self._seen is not None:
                self._seen.append(output.clone())  # what follows may write into it
            gain = self._gains.get(layer)
            return None if gain is None else output * gain

        return hook


def _before(generator: nn.Module, module: nn.Module) -> list[nn.Module]:
    """The modules of a generator up to this one, the nearest first."""
    modules = list(generator.modules())
    return modules[: modules.index(module) + 1][::-1]


def open_layer(model: "Model", point: "Point", layer: int, page: int = 0) -> bytes:
    """One layer at a point, packed: {"layers": [{"units", "side"}], "layer", "side", "units": [{"unit",
    "activity", "effect"}]} and a PNG of the units' maps.

    The units are the SHOWN most active or, on later pages, as many that follow, COLUMNS to a row. activity:
    the map's mean, as a part of the most active one's; effect: the mean change of the picture's pixels in [0,
    1] without the unit. Maps are grey from 0 to the layer's largest value. Units that the point changes in
    this very layer are told as if they were not. Raises UserError for a layer, a page or a unit that there is
    not.
    """
    dissection = model.dissection()
    if layer >= len(dissection.widths):
        raise UserError("latent.unknown_layer", layer=layer + 1, count=len(dissection.widths))
    last = (dissection.widths[layer] - 1) // SHOWN
    if page > last:
        raise UserError("latent.range", name="page", value=page, min=0, max=last)
    others = tuple(unit for unit in point.units if unit[0] != layer)
    z = torch.from_numpy(model.latent(point))[None]
    label = point.class_label(model.spec.num_classes)
    labels = None if label is None else torch.tensor([label])
    other, share = point.blend(model.spec.num_classes)
    blends = (torch.tensor([other]), torch.tensor([share])) if share else None
    with model.turns, torch.inference_mode():
        image, seen = dissection.look(z, labels, blends, others)
    maps = seen[layer][0].nan_to_num()
    activity = maps.mean((1, 2))
    order = activity.argsort(descending=True, stable=True)[page * SHOWN :][:SHOWN].tolist()
    effects: list[float] = []
    for start in range(0, len(order), CHUNK):
        part = order[start : start + CHUNK]
        with model.turns, torch.inference_mode():
            each = None if labels is None else labels.expand(len(part))
            blend = None if blends is None else (blends[0].expand(len(part)), blends[1].expand(len(part)))
            without = dissection.draw(z.expand(len(part), -1), each, blend, others, (layer, part))
        effects += ((without - image).abs().flatten(1).mean(1) / 2).nan_to_num().tolist()
    most = max(activity.max().item(), 1e-12)
    told = [
        {"unit": unit, "activity": round(activity[unit].item() / most, 4), "effect": round(effect, 5)}
        for unit, effect in zip(order, effects, strict=True)
    ]
    sheet = _heat(maps, order)
    layers = [{"units": each.shape[1], "side": each.shape[2]} for each in seen]
    return pack(
        {"layers": layers, "layer": layer, "side": sheet.shape[2] // COLUMNS, "units": told},
        encode_png(sheet),
    )


def _heat(maps: torch.Tensor, order: list[int]) -> torch.Tensor:
    """Some of the maps (N, h, w) >= 0 as one grey sheet (1, H, W) uint8, from black for 0 to white for the
    largest of all; each at most SIDE pixels wide.
    """
    if maps.shape[1] > SIDE:
        maps = F.adaptive_avg_pool2d(maps, SIDE)
    scaled = maps / maps.max().clamp_min(1e-12)
    return grid((scaled[order].sqrt() * 255).round().to(torch.uint8)[:, None], COLUMNS)
