"""The ONNX graph of a generator: latents, and classes where there are any, to pictures.

A generator with styles has two, ``mapping`` (latents and classes to styles [N, W]) and ``generator``
(styles of every layer [N, layers, W] to pictures), so that styles can be truncated and mixed in between.
Latents are drawn outside: which seed is which latent is said in model.json (``figment.export.about``).
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Generator as Iterator
from typing import TYPE_CHECKING, Any, Protocol, cast

import torch
from torch import Tensor, nn

from figment.errors import UserError
from figment.sampling.generator import Generator

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir

OPSET = 20
"""The newest operator set that onnxruntime-web was seen to run all these graphs in."""
TRACED = 3
"""Rows of the batch that is traced; 1 would be taken for a constant."""
CURE = "pip install 'figment-gan[export]'"


class Styled(Protocol):
    """A generator with styles."""

    layers: int
    """Styles that a picture has."""
    mean_style: Tensor
    """[W], what truncation pulls them towards."""


def styled(generator: Generator) -> Styled | None:
    """Return the network where it makes pictures of styles, else None."""
    return cast("Styled", generator.net) if generator.recipe.styled else None


class Drawing(nn.Module):
    """latents [N, L] and, with classes, labels [N] -> what the recipe draws of them."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.recipe, self.net = generator.recipe, generator.net

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.recipe.draw(self.net, latents, labels)


class Mapping(Drawing):
    """latents [N, L] and, with classes, labels [N] -> styles [N, W]."""

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.recipe.style(self.net, latents, labels)


class Synthesis(nn.Module):
    """styles of every layer [N, layers, W] -> pictures [N, C, R, R]."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.net = generator.net

    def forward(self, styles: Tensor) -> Tensor:
        return self.net(styles)


def networks(generator: Generator) -> dict[str, nn.Module]:
    """Return what becomes a graph each, by name: "generator", before it "mapping" where styles are."""
    if styled(generator):
        return {"mapping": Mapping(generator), "generator": Synthesis(generator)}
    return {"generator": Drawing(generator)}


def inputs(generator: Generator, name: str, seeds: range) -> dict[str, Tensor]:
    """Return the inputs of one of the ``networks`` for these seeds, by the names of the graph's inputs.

    They lie where the generator does.
    """
    device = next(generator.net.parameters()).device
    found = {"latents": generator.recipe.latents(seeds).to(device)}
    labels = generator.recipe.labels_for(seeds, device)
    if labels is not None:
        found["labels"] = labels
    net = styled(generator)
    if name == "mapping" or net is None:
        return found
    with torch.no_grad():
        style = generator.recipe.style(generator.net, found["latents"], labels)
    return {"styles": style[:, None].expand(-1, net.layers, -1).contiguous()}


def output(generator: Generator, name: str) -> str:
    """Return the name of a graph's output."""
    return "styles" if name == "mapping" else generator.recipe.kind


def graph_of(generator: Generator, name: str) -> onnx.ModelProto:
    """Return the graph of one of the ``networks``, its batch free, its weights float32.

    Raises UserError where ``figment-gan[export]`` is missing, or for a generator (of one's own) that has
    no such graph.
    """
    needed()
    net = networks(generator)[name].eval()
    given = inputs(generator, name, range(TRACED))
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                net,
                kwargs=given,
                dynamo=True,
                opset_version=OPSET,
                input_names=list(given),
                output_names=[output(generator, name)],
                dynamic_shapes={key: {0: torch.export.Dim.DYNAMIC} for key in given},
                external_data=False,
                verbose=False,
                optimize=False,  # by _simplify instead
            )
    except torch.onnx.OnnxExporterError as error:
        reason = _reason(error)
        raise UserError(
            f"this generator has no ONNX graph with a free batch ({reason}): its forward must not branch "
            "on what tensors hold, nor turn them into numbers"
        ) from None
    assert program is not None
    _simplify(program.model)
    return _free(program.model_proto)


def needed() -> Any:
    """Return onnxruntime. Raises UserError, in one line, where a part of the extra is missing."""
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(f"an ONNX file needs {error.name}: {CURE}") from None
    return onnxruntime


def _simplify(model: ir.Model) -> None:
    """Compute beforehand what depends on no input, and leave out what changes nothing.

    Not by the exporter's own optimisation: it takes every number up to 1e-8 for 0, and so leaves out the
    epsilon of norms. Batch norms go into the layer before them; onnxruntime does so for some layers alone.
    """
    from onnx_ir.passes import common
    from onnxscript import optimizer, rewriter
    from onnxscript.rewriter.rules import common as rules

    optimizer.inline(model)
    optimizer.fold_constants(model)
    exact = (
        rules.collapse_slice_rule,
        rules.collapse_slice2_rule,
        rules.unsqueeze_unsqueeze_rule,
        rules.reshape_reshape_rule,
        rules.materialize_reshape_shape_rule,
        rules.fuse_batchnorm_into_conv_rule,
        rules.fuse_batchnorm_into_conv_transpose_rule,
        rules.fuse_batchnorm_into_gemm_rule,
    )
    rewriter.rewrite(model, exact)
    optimizer.fold_constants(model)
    optimizer.remove_unused_nodes(model)
    for each in (
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.DeduplicateInitializersPass(),
        common.CommonSubexpressionEliminationPass(),
    ):
        each(model)


def _free(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model without what tracing noted of this machine, its batch called N."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.metadata_props[:], model.graph.value_info[:]
    for function in model.functions:
        del function.metadata_props[:]
    for each in (*model.graph.input, *model.graph.output):
        del each.metadata_props[:]
        if not each.type.tensor_type.shape.dim[0].dim_param:
            raise UserError(
                f"this generator's {each.name} have a fixed batch: its forward has to use x.shape[0]"
            )
        each.type.tensor_type.shape.dim[0].dim_param = "N"
    for constant in model.graph.initializer:
        del constant.metadata_props[:]
        constant.doc_string = ""
    return model


def _reason(error: BaseException) -> str:
    """Return the first line of what began it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{error}\n".splitlines()[0][:160] or type(error).__name__


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let the exporter keep its advice, for its authors and not for ours, to itself."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        said = io.StringIO()
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
