"""Compiled networks learn what uncompiled ones learn, by gradients of gradients, too, or run uncompiled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_every_recipe import CPU, TINY, dataset_for
from torch import Tensor, nn

from figment import compiling
from figment.errors import UserError
from figment.launch import resume, train
from figment.microbatch import in_parts
from figment.networks.layers.low_pass import Halve
from figment.penalties import squared_slope
from figment.recipe import Recipe
from figment.recipes import SYSTEMS
from figment.training.trainer import Trainer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trace and differentiate as ever, and leave out the compiler of C++, which takes minutes."""
    monkeypatch.setattr(compiling, "BACKEND", "aot_eager")
    compiling.why_not.cache_clear()


def gradients(recipe: Recipe) -> tuple[list[Tensor], list[bool]]:
    """Return each move's gradients in a round as a vector, and whether slopes were compiled."""
    trainer, found = Trainer(recipe, dataset_for(recipe), CPU), []
    step = trainer.step

    def keep(player: str) -> None:
        all_of_them = [w.grad.flatten() for w in trainer.weights(player) if w.grad is not None]
        found.append(torch.cat(all_of_them))
        step(player)

    trainer.step = keep  # ty: ignore[invalid-assignment]
    trainer.round()
    known = [compiling._faithful.get(net, {}) for net in trainer.nets.values()]
    return found, [right for each in known for right in each.values()]


@pytest.mark.parametrize(
    ("name", "fields", "slopes"),
    [
        ("flowers-28-classes", {}, [True]),  # WGAN-GP
        ("sngan", {"r1": 1.0, "augment": "diffaugment"}, [True]),
        ("cats-mlp-minibatch", {"r1": 1.0}, [True]),  # its head is not linear in the features
        ("r3gan", {}, [True]),
        ("stylegan2", {}, [True, True]),  # R1 and path lengths
    ],
)
def test_gradients_are_those_of_uncompiled_networks(name: str, fields: Any, slopes: list[bool]):
    recipe = replace(TINY[name], precision="float32", **fields)
    compiled = replace(recipe, compile=True)
    compiled.check()
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    (one, nothing), (other, found) = gradients(recipe), gradients(compiled)
    assert torch._dynamo.utils.counters["frames"]["ok"] >= 3  # both players' passes, in both moves
    assert not torch._dynamo.utils.counters["graph_break"]
    assert (nothing, found) == ([], slopes)
    for whole, again in zip(one, other, strict=True):
        assert torch.linalg.vector_norm(again - whole) < 1e-5 * torch.linalg.vector_norm(whole)


class Judge(nn.Module):
    """A network with a layer that brings derivatives of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), Halve(), nn.Conv2d(4, 1, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).mean((1, 2, 3))


def penalised(net: Judge, images: Tensor, *, on: bool) -> Tensor:
    net.zero_grad()
    with compiling.compiled(on):
        squared_slope(lambda some: in_parts(net, some), images).mean().backward()
    return torch.cat([w.grad.flatten() for w in net.parameters() if w.grad is not None])


@pytest.mark.parametrize("seen", [True, False])
def test_slopes_that_lose_gradients_are_not_compiled(seen: bool, monkeypatch: pytest.MonkeyPatch):
    if not seen:  # the layer does not know that it is compiled, as one of a stranger's would not
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: False)
    torch.manual_seed(0)
    net, images = Judge(), torch.randn(4, 3, 10, 10)
    whole = penalised(net, images, on=False)
    for _ in range(2):
        torch.testing.assert_close(penalised(net, images, on=True), whole)
    assert compiling._faithful[net] == {Judge.forward: seen}


def test_a_machine_that_cannot_compile_says_so_and_goes_on_with_what_others_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    fields: dict[str, Any] = {"width": 4, "batch": 4, "resolution": 32, "features": "small"}
    form = {**fields, "compile": True, "metric_count": 64, "run": tmp_path / "run"}
    run = train("flowers:64", "dcgan", images=16, **form)
    told = capsys.readouterr().err
    assert "compiling the networks" in told and "compiled; 16 images" in told
    assert '"compile": true' in (run.path / "recipe.json").read_text()
    monkeypatch.setattr(compiling, "BACKEND", "nonsense")
    compiling.why_not.cache_clear()
    with pytest.raises(UserError, match=r"--compile does not work here \(.*\): leave it out"):
        train("flowers:64", "dcgan", images=16, **form | {"run": tmp_path / "other"})
    assert not (tmp_path / "other").exists()
    capsys.readouterr()
    resume(run.path, images=16)
    assert "without --compile, which does not work here" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["progan", "stylegan", "cats-mlp-unrolled"])
def test_what_cannot_be_compiled_refuses_it(name: str):
    with pytest.raises(UserError, match="--compile"):
        replace(SYSTEMS[name].recipe, compile=True).check()
