"""A generator as an ONNX model: what runs in a visitor's browser, or in anything else that reads ONNX.

The graph is written node by node instead of traced: a generator is a dozen layers, torch's exporters differ from version to version and take seconds, and
this takes milliseconds beside a run that trains. Weights stay in half precision, as they are on disk. What depends on weights alone is written as nodes on
constants, which a runtime works out once, when it loads the model: so the file is as small as the weights, and nothing is rounded twice.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from gan.models import dcgan
from gan.models.condition import BLEND, FEATURES, REACH
from gan.models.modern import UpConv
from gan.spec import ModelSpec

OPSET, IR_VERSION = 17, 8  # of 2022: every runtime since reads them
SLOPE = 0.2  # of modern's leaky ReLU
DOUBLE = {"strides": [2, 2], "pads": [1, 1, 1, 1]}  # of a transposed convolution with a 4x4 kernel

# Of each axis: which of the three taps of a convolution after nearest upsampling each of the four of a transposed one sums up (see UpConv).
TAPS = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32)


def generator_onnx(generator: nn.Module, spec: ModelSpec, facts: Mapping[str, Any] = MappingProxyType({})) -> bytes:
    """A generator in evaluation mode as the bytes of an ONNX model, the same bytes for the same weights. `facts` go into its metadata, as text.

    Inputs: z (N, z_dim) float32 and, where it has classes, labels (N,) int32, which JavaScript has an array for that is none of BigInts. Output: images
    (N, C, size, size) float32 in [-1, 1], from which a page makes pixels in less time than the graph would.
    """
    graph = _Graph()
    _WRITERS[type(generator).__module__](graph, generator, spec)
    inputs = [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", spec.z_dim])]
    if spec.num_classes:
        inputs.append(helper.make_tensor_value_info("labels", TensorProto.INT32, ["N"]))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", spec.channels, spec.size, spec.size])
    whole = helper.make_graph(graph.nodes, "generator", inputs, [images], graph.constants)
    model = helper.make_model(whole, producer_name="GANarium", ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)])
    helper.set_model_props(model, {name: str(value) for name, value in facts.items()})
    return model.SerializeToString(deterministic=True)


class _Graph:
    """Nodes and constants as they come; every value has a name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """A node; its result's name."""
        name = name or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: Any) -> str:
        """A constant in its own precision; its name."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, tensor: torch.Tensor) -> str:
        """A weight, in half precision in the file and float32 in the graph."""
        return self.add("Cast", self.constant(tensor.detach().numpy().astype(np.float16)), to=TensorProto.FLOAT)

    def shape(self, value: str, *shape: int) -> str:
        """A value in another shape, 0 keeping the size of an axis."""
        return self.add("Reshape", value, self.constant(np.array(shape, np.int64)))


def _modern(graph: _Graph, generator: nn.Module, spec: ModelSpec) -> None:
    x = _dense(graph, _told(graph, generator, spec), generator.dense.weight.T, generator.norm)
    x = graph.shape(graph.add("LeakyRelu", x, alpha=SLOPE), 0, *generator.start)
    blocks = list(generator.blocks)
    for up, norm in zip(blocks[0::3], blocks[1::3], strict=True):
        x = graph.add("LeakyRelu", _up(graph, x, _summed(graph, up), norm), alpha=SLOPE)
    x = graph.add("Conv", x, graph.weight(generator.to_image.weight), graph.weight(generator.to_image.bias), pads=[1, 1, 1, 1])
    if spec.pixel == 1:
        graph.add("Tanh", x, name="images")
        return
    scales = graph.constant(np.array([1, 1, spec.pixel, spec.pixel], np.float32))
    graph.add("Resize", graph.add("Tanh", x), "", scales, name="images", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")


def _dcgan(graph: _Graph, generator: nn.Module, spec: ModelSpec) -> None:
    first, norm, _ = generator.first
    x = _dense(graph, _told(graph, generator, spec), first.weight.flatten(1), norm)
    x = graph.shape(graph.add("Relu", x), 0, *first.weight.shape[1:])
    *blocks, last = generator.blocks
    for up, norm in zip(blocks[0::3], blocks[1::3], strict=True):
        x = graph.add("Relu", _up(graph, x, graph.weight(up.weight), norm))
    graph.add("Tanh", graph.add("ConvTranspose", x, graph.weight(last.weight), **DOUBLE), name="images")


_WRITERS = {UpConv.__module__: _modern, dcgan.__name__: _dcgan}


def _told(graph: _Graph, generator: nn.Module, spec: ModelSpec) -> str:
    """z joined with what the generator is told of class and look (gan.models.condition.Told)."""
    if generator.told is None:
        return "z"
    table = graph.weight(generator.told.embed.weight)
    if spec.looks == 1:
        return graph.add("Concat", "z", graph.add("Gather", table, "labels"), axis=1)
    edges = torch.special.ndtri(generator.told.ends[:, 1:-1]).clamp(-REACH, REACH)
    edges = graph.constant((edges / BLEND).numpy())
    if spec.num_classes:
        edges = graph.add("Gather", edges, "labels")
        table = graph.add("Gather", graph.shape(table, -1, spec.looks, FEATURES), "labels")
    last = graph.add("Slice", "z", *(graph.constant(np.array([place], np.int64)) for place in (spec.z_dim - 1, spec.z_dim, 1)))
    moved = graph.add("Sub", graph.add("Mul", last, graph.constant(np.float32(1 / BLEND))), edges)
    half, zero, one = (graph.constant(np.float32(value)) for value in (0.5, 0.0, 1.0))
    beyond = graph.add("Clip", graph.add("Add", moved, half), zero, one)
    pads = [graph.constant(np.array(sides, np.int64)) for sides in ([0, 1, 0, 0], [0, 0, 0, 1])]
    weights = graph.add("Sub", graph.add("Pad", beyond, pads[0], one), graph.add("Pad", beyond, pads[1], zero))
    if spec.num_classes:
        mixed = graph.shape(graph.add("MatMul", graph.shape(weights, 0, 1, spec.looks), table), 0, FEATURES)
    else:
        mixed = graph.add("MatMul", weights, table)
    return graph.add("Concat", "z", mixed, axis=1)


def _dense(graph: _Graph, x: str, weight: torch.Tensor, norm: nn.BatchNorm2d) -> str:
    """x (N, inputs) times a weight (inputs, channels * side * side), normalised by channel."""
    scale, shift = (np.repeat(each, weight.shape[1] // len(each)) for each in _affine(norm))
    return graph.add("Gemm", x, graph.add("Mul", graph.weight(weight), graph.constant(scale)), graph.constant(shift))


def _up(graph: _Graph, x: str, kernel: str, norm: nn.BatchNorm2d) -> str:
    """Twice the size: a transposed convolution of x (N, channels, H, W) with a kernel (channels, filters, 4, 4), normalised by channel."""
    scale, shift = _affine(norm)
    kernel = graph.add("Mul", kernel, graph.constant(scale[:, None, None]))
    return graph.add("ConvTranspose", x, kernel, graph.constant(shift), **DOUBLE)


def _summed(graph: _Graph, up: UpConv) -> str:
    """The kernel (channels, filters, 4, 4) that does in one what the 3x3 one does after upsampling."""
    filters, channels, *_ = up.weight.shape
    weight = graph.shape(graph.weight(up.weight.transpose(0, 1)), channels * filters, 9)
    return graph.shape(graph.add("MatMul", weight, graph.constant(np.kron(TAPS, TAPS).T)), channels, filters, 4, 4)


def _affine(norm: nn.BatchNorm2d) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation in evaluation as x * scale + shift, both (channels,) float32."""
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    shift = norm.bias.double() - norm.running_mean.double() * scale
    return scale.detach().float().numpy(), shift.detach().float().numpy()
