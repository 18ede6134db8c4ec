"""Write a generator as an ONNX model, for the page's browser renderer and any other ONNX runtime.

The code writes the graph node by node and does not trace the module. A generator has about a dozen layers.
torch's exporters change between versions and take seconds; this takes milliseconds, even beside a training
run.

Weights stay in half precision, as on disk. Values that depend on weights alone are nodes on constants. The
runtime computes them once, when it loads the model. So the file is as small as the weights, and no value is
rounded twice.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from gan.models import ImageGenerator, dcgan, modern
from gan.models.conditioning import BLEND, FEATURES, MAX_EDGE, ClassConditioning
from gan.models.modern import UpConv
from gan.spec import ModelSpec

Layer = TypeVar("Layer", bound=nn.Module)

OPSET, IR_VERSION = 17, 8  # from 2022: every later runtime reads them
SLOPE = 0.2  # negative slope of the leaky ReLU in `modern`

# On each axis, 3 taps of a convolution after nearest upsampling become 4 taps of a transposed convolution.
# Row k marks the taps whose sum is tap k (see UpConv).
TAPS = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32)


def generator_onnx(
    generator: ImageGenerator, spec: ModelSpec, facts: Mapping[str, Any] = MappingProxyType({})
) -> bytes:
    """The bytes of an ONNX model for a generator in evaluation mode. The same weights give the same bytes.

    `facts` go into its metadata as text. The inputs and the output:

      z        (N, z_dim) float32
      labels   (N,) int32: the classes
      others   (N,) int32: the classes to blend in
      shares   (N,) float32: the shares of the other classes; 0 means the label alone
      images   (N, C, size, size) float32 in [-1, 1]

    Only generators with classes have labels, others and shares. In JavaScript int64 would need BigInts. The
    page converts the images to pixels faster than the graph could.
    """
    graph = _Graph()
    if isinstance(generator, modern.Generator):
        _modern(graph, generator, spec)
    elif isinstance(generator, dcgan.Generator):
        _dcgan(graph, generator, spec)
    else:
        raise TypeError(f"no graph is known for {type(generator).__name__}")
    inputs = [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", spec.z_dim])]
    if spec.num_classes:
        kinds = {"labels": TensorProto.INT32, "others": TensorProto.INT32, "shares": TensorProto.FLOAT}
        inputs += [helper.make_tensor_value_info(name, kind, ["N"]) for name, kind in kinds.items()]
    images = helper.make_tensor_value_info(
        "images", TensorProto.FLOAT, ["N", spec.channels, spec.size, spec.size]
    )
    whole = helper.make_graph(graph.nodes, "generator", inputs, [images], graph.constants)
    model = helper.make_model(
        whole, producer_name="GANarium", ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
    )
    helper.set_model_props(model, {name: str(value) for name, value in facts.items()})
    return model.SerializeToString(deterministic=True)


class _Graph:
    """A list of nodes and a list of constants; every value has a name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add a node; returns the name of its result."""
        name = name or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: Any) -> str:
        """Add a constant in its own precision; returns its name."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, tensor: torch.Tensor) -> str:
        """Add a weight: half precision in the file, float32 in the graph."""
        return self.add(
            "Cast", self.constant(tensor.detach().numpy().astype(np.float16)), to=TensorProto.FLOAT
        )

    def shape(self, value: str, *shape: int) -> str:
        """Reshape a value; 0 keeps the size of an axis."""
        return self.add("Reshape", value, self.constant(np.array(shape, np.int64)))


def _modern(graph: _Graph, generator: modern.Generator, spec: ModelSpec) -> None:
    x = _dense(graph, _conditioned(graph, generator, spec), generator.dense.weight.T, generator.norm)
    x = graph.shape(graph.add("LeakyRelu", x, alpha=SLOPE), 0, *generator.start)
    for up, norm in _stages(list(generator.blocks), UpConv):
        x = graph.add("LeakyRelu", _up(graph, x, _summed(graph, up), norm), alpha=SLOPE)
    last = generator.to_image
    assert last.bias is not None
    x = graph.add("Conv", x, graph.weight(last.weight), graph.weight(last.bias), pads=[1, 1, 1, 1])
    if spec.pixel == 1:
        graph.add("Tanh", x, name="images")
        return
    scales = graph.constant(np.array([1, 1, spec.pixel, spec.pixel], np.float32))
    graph.add(
        "Resize",
        graph.add("Tanh", x),
        "",
        scales,
        name="images",
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _dcgan(graph: _Graph, generator: dcgan.Generator, spec: ModelSpec) -> None:
    first, norm = generator.dense()
    x = _dense(graph, _conditioned(graph, generator, spec), first.weight.flatten(1), norm)
    x = graph.shape(graph.add("Relu", x), 0, *first.weight.shape[1:])
    *blocks, last = generator.blocks
    for up, norm in _stages(blocks, nn.ConvTranspose2d):
        x = graph.add("Relu", _up(graph, x, graph.weight(up.weight), norm))
    assert isinstance(last, nn.ConvTranspose2d)
    graph.add("Tanh", _doubled(graph, x, graph.weight(last.weight)), name="images")


def _stages(layers: list[nn.Module], kind: type[Layer]) -> Iterator[tuple[Layer, nn.BatchNorm2d]]:
    """The layers that double the size, each with its normalisation; the nonlinearities are left out."""
    for up, norm in zip(layers[0::3], layers[1::3], strict=True):
        assert isinstance(up, kind)
        assert isinstance(norm, nn.BatchNorm2d)
        yield up, norm


def _conditioned(graph: _Graph, generator: ImageGenerator, spec: ModelSpec) -> str:
    """z joined with the embedding of its class and cluster, or with a blend of two classes.

    It mirrors gan.models.conditioning.ClassConditioning.
    """
    conditioning = generator.conditioning
    if conditioning is None:
        return "z"
    table = graph.weight(conditioning.embed.weight)
    of_class = (
        _embedded(graph, table) if spec.clusters == 1 else _in_clusters(graph, conditioning, table, spec)
    )
    features = of_class("labels")
    if spec.num_classes:
        share = graph.shape("shares", 0, 1)
        features = graph.add(
            "Add", features, graph.add("Mul", share, graph.add("Sub", of_class("others"), features))
        )
    return graph.add("Concat", "z", features, axis=1)


def _embedded(graph: _Graph, table: str) -> Callable[[str], str]:
    """The function from an input of classes (N,) to their embeddings (N, FEATURES)."""
    return lambda classes: graph.add("Gather", table, classes)


def _in_clusters(
    graph: _Graph, conditioning: ClassConditioning, table: str, spec: ModelSpec
) -> Callable[[str], str]:
    """The same for classes with clusters; the last entry of z chooses the cluster."""
    all_edges = graph.constant(
        (torch.special.ndtri(conditioning.ends[:, 1:-1]).clamp(-MAX_EDGE, MAX_EDGE) / BLEND).numpy()
    )
    last = graph.add(
        "Slice",
        "z",
        *(graph.constant(np.array([place], np.int64)) for place in (spec.z_dim - 1, spec.z_dim, 1)),
    )
    last = graph.add("Mul", last, graph.constant(np.float32(1 / BLEND)))
    half, zero, one = (graph.constant(np.float32(value)) for value in (0.5, 0.0, 1.0))
    pads = [graph.constant(np.array(sides, np.int64)) for sides in ([0, 1, 0, 0], [0, 0, 0, 1])]
    if spec.num_classes:
        table = graph.shape(table, -1, spec.clusters, FEATURES)

    def of_class(classes: str) -> str:
        edges = graph.add("Gather", all_edges, classes) if spec.num_classes else all_edges
        beyond = graph.add("Clip", graph.add("Add", graph.add("Sub", last, edges), half), zero, one)
        weights = graph.add(
            "Sub", graph.add("Pad", beyond, pads[0], one), graph.add("Pad", beyond, pads[1], zero)
        )
        if not spec.num_classes:
            return graph.add("MatMul", weights, table)
        tables = graph.add("Gather", table, classes)
        return graph.shape(
            graph.add("MatMul", graph.shape(weights, 0, 1, spec.clusters), tables), 0, FEATURES
        )

    return of_class


def _dense(graph: _Graph, x: str, weight: torch.Tensor, norm: nn.BatchNorm2d) -> str:
    """Multiply x (N, inputs) by a weight (inputs, channels * side * side), then normalise each channel."""
    scale, shift = (np.repeat(each, weight.shape[1] // len(each)) for each in _affine(norm))
    return graph.add(
        "Gemm", x, graph.add("Mul", graph.weight(weight), graph.constant(scale)), graph.constant(shift)
    )


def _up(graph: _Graph, x: str, kernel: str, norm: nn.BatchNorm2d) -> str:
    """Double the size of x (N, channels, H, W) by a transposed convolution, then normalise each channel.

    The kernel is (channels, filters, 4, 4).
    """
    scale, shift = _affine(norm)
    kernel = graph.add("Mul", kernel, graph.constant(scale[:, None, None]))
    return _doubled(graph, x, kernel, graph.constant(shift))


def _doubled(graph: _Graph, x: str, *weights: str) -> str:
    """Double the size of x by a transposed convolution with a 4x4 kernel, and a shift if there is one."""
    return graph.add("ConvTranspose", x, *weights, strides=[2, 2], pads=[1, 1, 1, 1])


def _summed(graph: _Graph, up: UpConv) -> str:
    """The kernel (channels, filters, 4, 4) that is equivalent to upsampling and a 3x3 convolution."""
    filters, channels, *_ = up.weight.shape
    weight = graph.shape(graph.weight(up.weight.transpose(0, 1)), channels * filters, 9)
    return graph.shape(
        graph.add("MatMul", weight, graph.constant(np.kron(TAPS, TAPS).T)), channels, filters, 4, 4
    )


def _affine(norm: nn.BatchNorm2d) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation in evaluation mode as x * scale + shift, both (channels,) float32."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None, "a batch normalisation without statistics"
    assert variance is not None
    scale = norm.weight.double() / (variance.double() + norm.eps).sqrt()
    shift = norm.bias.double() - mean.double() * scale
    return scale.detach().float().numpy(), shift.detach().float().numpy()
