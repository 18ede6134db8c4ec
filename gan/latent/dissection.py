"""Look inside a generator: feature maps of its layers, and images with ablated or amplified units.

GAN Dissection (Bau et al. 2019, "Visualizing and Understanding Generative Adversarial Networks") defines a
unit as one channel of a layer. Two observations explain a unit: its feature map, and the change of the image
without the unit.
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

SHOWN = 64  # units on a page
COLUMNS = 8  # maps in a row of the sheet
SIDE = 32  # largest side of a map in pixels
CHUNK = 4  # images generated in one turn


def _after(*modules: nn.Module) -> list[nn.Module]:
    return [
        module for each in modules for module in each.modules() if isinstance(module, (nn.ReLU, nn.LeakyReLU))
    ]


# Generator class -> the modules whose outputs (N, C, H, W) are its layers, from z to the image. The first
# nonlinearity of `modern` is no module, so its hook sits before it. For factors >= 0 the result is the same.
LAYERS: dict[type[nn.Module], Callable[[Any], list[nn.Module]]] = {
    modern.Generator: lambda generator: [generator.norm, *_after(generator.blocks)],
    dcgan.Generator: lambda generator: _after(generator.first, generator.blocks),
}


class Dissection:
    """A copy of a generator, with shared weights, whose units can be read and scaled. Not thread-safe."""

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
        """Images (N, C, H, W) in [-1, 1] with units multiplied by factors.

        `off` is a layer and a list of N units: in image n, the nth of these units is zero. Raises UserError
        for a unit that does not exist.
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
        """Images, and the output (N, C, h, w) >= 0 of each layer before its own units are scaled."""
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
                self._seen.append(output.clone())  # the next module may write in place
            gain = self._gains.get(layer)
            return None if gain is None else output * gain

        return hook


def _before(generator: nn.Module, module: nn.Module) -> list[nn.Module]:
    """The generator's modules up to and including `module`, in reverse order."""
    modules = list(generator.modules())
    return modules[: modules.index(module) + 1][::-1]


def open_layer(model: "Model", point: "Point", layer: int, page: int = 0) -> bytes:
    """One layer at a point, packed: JSON and a PNG with the units' feature maps.

    The JSON is {"layers": [{"units", "side"}], "layer", "side", "units": [{"unit", "activity", "effect"}]}.
    Each page shows SHOWN units by decreasing activity, COLUMNS in a row. `activity` is the mean of the unit's
    map, relative to the most active unit. `effect` is the mean absolute change of the image's pixels in [0,
    1] when the unit is zero.

    The square root of a map, scaled by the layer's largest value, gives its grey level. The point's factors
    for units of this layer are ignored. Raises UserError for a layer, page or unit that does not exist.
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
    units = [
        {"unit": unit, "activity": round(activity[unit].item() / most, 4), "effect": round(effect, 5)}
        for unit, effect in zip(order, effects, strict=True)
    ]
    sheet = _heat(maps, order)
    layers = [{"units": each.shape[1], "side": each.shape[2]} for each in seen]
    return pack(
        {"layers": layers, "layer": layer, "side": sheet.shape[2] // COLUMNS, "units": units},
        encode_png(sheet),
    )


def _heat(maps: torch.Tensor, order: list[int]) -> torch.Tensor:
    """The maps in `order` (from N, h, w) >= 0 as one grey sheet (1, H, W) uint8.

    Black is 0 and white is the largest value of all maps. Each map is at most SIDE pixels wide.
    """
    if maps.shape[1] > SIDE:
        maps = F.adaptive_avg_pool2d(maps, SIDE)
    scaled = maps / maps.max().clamp_min(1e-12)
    return grid((scaled[order].sqrt() * 255).round().to(torch.uint8)[:, None], COLUMNS)
