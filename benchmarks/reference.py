"""The authors' own networks beside figment's, with the same weights: outputs and gradients.

    python benchmarks/reference.py CHECKOUT [CHECKOUT ...]

A CHECKOUT is a folder with one of

    brownvc/R3GAN                   19a7ddf4
    ajbrock/BigGAN-PyTorch          98459431
    NVlabs/stylegan2-ada-pytorch    d72cc7d0
    NVlabs/stylegan3                c233a919, its networks_stylegan2

which need `pip install "setuptools<81" requests click psutil` beside them, and no edit. Each runs in a
process of its own, in float32 on the CPU. Weights start as theirs do, but what they start at 0 is drawn, or
the comparison would be blind to it. A line has the largest difference of a tensor as a share of its
largest value (outputs) or of its length (gradients, the worst tensor), and what it may be at most: 1e-5
for outputs, 1e-4 for gradients. Exits with 1 where a line has more.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

OUTPUT, GRADIENT = 1e-5, 1e-4
NOTHING = 1e-6
"""A tensor's gradient of at most this share of the whole is rounding: a bias in front of a batch norm."""
Pairs = list[tuple[Tensor, Tensor]]
"""Weights of figment and of the authors, in one order."""


@dataclass
class Line:
    what: str
    apart: float
    most: float


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("checkout", nargs="+", type=Path)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.here:  # they share names of modules
        given = [sys.executable, __file__, "--here"]
        return max(subprocess.run([*given, str(each)]).returncode for each in args.checkout)
    (checkout,) = args.checkout
    sys.path.insert(0, str(checkout))
    torch.manual_seed(0)
    lines = list(compared(checkout))
    for line in lines:
        mark = "" if line.apart <= line.most else "  too far"
        print(f"| {line.what} | {line.apart:.1e} | {line.most:.0e} |{mark}")
    return int(any(line.apart > line.most for line in lines))


def compared(checkout: Path) -> Iterator[Line]:
    """Yield the lines of whichever code the folder holds."""
    if (checkout / "R3GAN/Networks.py").exists():
        for classes in (0, 10):
            yield from r3gan(classes)
    elif (checkout / "BigGAN.py").exists():
        yield from biggan()
    else:
        newer = (checkout / "training/networks_stylegan2.py").exists()
        networks = import_module(f"training.networks{'_stylegan2' if newer else ''}")
        for classes in (0, 10):
            yield from stylegan2(networks, classes, inside=not newer)


# -- what all share -------------------------------------------------------------------------------


def same_weights(pairs: Pairs) -> None:
    """Give the authors' weights figment's values, what starts at 0 drawn from N(0, .1²)."""
    with torch.no_grad():
        for ours, theirs in pairs:
            assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
            if not ours.any():
                ours.normal_(0, 0.1)
            theirs.copy_(ours)


def every_weight(pairs: Pairs, *nets: nn.Module) -> None:
    """Make sure that no weight of figment's networks was left out."""
    known = {id(ours) for ours, _ in pairs}
    missing = [name for net in nets for name, w in net.named_parameters() if id(w) not in known]
    assert not missing, missing


def output(what: str, ours: Tensor, theirs: Tensor) -> Line:
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return Line(what, ((ours - theirs).abs().max() / theirs.abs().max()).item(), OUTPUT)


def gradients(what: str, pairs: Pairs, ours: Tensor, theirs: Tensor) -> Line:
    """Return the worst tensor's line, of those that have a gradient."""
    mine = torch.autograd.grad(ours, [w for w, _ in pairs], allow_unused=True)
    other = torch.autograd.grad(theirs, [w for _, w in pairs], allow_unused=True)
    both = [(a, b) for a, b in zip(mine, other, strict=True) if a is not None or b is not None]
    floor = NOTHING * torch.stack([b.norm() for b in other if b is not None]).norm()
    lengths = [max(0.0 if g is None else g.norm() for g in pair) for pair in both]
    apart = [far(*pair) for pair, length in zip(both, lengths, strict=True) if length > floor]
    assert apart
    return Line(f"{what}, {len(apart)} of {len(pairs)} tensors", max(apart), GRADIENT)


def far(ours: Tensor | None, theirs: Tensor | None) -> float:
    """Return the distance as a share of the length; infinite where one is missing and the other not 0."""
    if ours is None or theirs is None:
        return float("inf") if any(g is not None and g.any() for g in (ours, theirs)) else 0.0
    return ((ours - theirs).norm() / theirs.norm().clamp(min=1e-30)).item()


def slope(images: Tensor, logits: Tensor) -> Tensor:
    """Return the authors' penalty: half the squared gradient of each logit, its mean."""
    (found,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return found.square().sum((1, 2, 3)).mean() / 2


def one_hot(labels: Tensor, classes: int) -> Tensor:
    return nn.functional.one_hot(labels, classes).float()


# -- R3GAN ----------------------------------------------------------------------------------------


def r3gan(classes: int) -> Iterator[Line]:
    from R3GAN import Networks  # ty: ignore[unresolved-import]

    from figment.networks.r3gan import ByClass, Discriminator, Generator, Size, plain

    size = Size(64, 64, 3)
    wide, name = size.widths, f"R3GAN{', 10 classes' if classes else ''}"
    groups = [2 * width // 16 for width in wide]
    shared = {"BlocksPerStage": [2] * 5, "ExpansionFactor": 2}
    given = {"ConditionDimension": classes or None}
    inner = {"ConditionEmbeddingDimension": 64 if classes else 0}
    g = Networks.Generator(64, wide, groups, **shared, **given, **inner)
    inner = {"ConditionEmbeddingDimension": wide[0] if classes else 0}
    d = Networks.Discriminator(wide[::-1], groups[::-1], **shared, **given, **inner)
    ours_g = Generator(size, latent=64, classes=classes)
    head = (lambda features: ByClass(features, classes)) if classes else plain
    ours_d = Discriminator(size, dropout=0.0, head=head)
    of_g, of_d = r3gan_generator(ours_g, g), r3gan_discriminator(ours_d, d)
    same_weights([*of_g, *of_d])
    z, reals = torch.randn(8, 64), torch.rand(8, 3, 64, 64) * 2 - 1
    labels = torch.arange(8) % max(1, classes)
    c = one_hot(labels, classes) if classes else None
    told = (labels,) if classes else ()
    if classes:  # theirs has the scale and the other order in its weights
        with torch.no_grad():
            d.EmbeddingLayer.weight.copy_((ours_d.head.embedding.weight * ours_d.head.scale).T)
    fakes = ours_g(torch.cat([z, c], 1) if c is not None else z)
    yield output(f"{name}: pictures", fakes, g(z, c))
    yield output(f"{name}: logits", ours_d(reals, *told), d(reals, c))
    yield from r3gan_slopes(name, of_d, (ours_d, told), (d, c), {"R1": reals, "R2": fakes.detach()})
    own, theirs = fakes.square().mean(), g(z, c).square().mean()
    yield gradients(f"{name}: pictures by G", of_g, own, theirs)


def r3gan_slopes(
    name: str, pairs: Pairs, ours: Any, theirs: Any, images: dict[str, Tensor]
) -> Iterator[Line]:
    from R3GAN.Trainer import AdversarialTraining  # ty: ignore[unresolved-import]

    from figment import penalties

    (net, told), (d, c) = ours, theirs
    for which, pictures in images.items():
        own = getattr(penalties, which.lower())(lambda x: net(x, *told), pictures).mean()
        leaf = pictures.clone().requires_grad_()
        found = AdversarialTraining.ZeroCenteredGradientPenalty(leaf, d(leaf, c)).mean() / 2
        yield gradients(f"{name}: {which} by D", pairs, own, found)


def r3gan_generator(ours: Any, theirs: Any) -> Pairs:
    basis, last = theirs.MainLayers[0].Layers[0], theirs.AggregationLayer.Layer.weight
    other = [basis.LinearLayer.weight, basis.Basis, *r3gan_layers(theirs.MainLayers), last]
    mine = [ours.scale.weight, ours.basis, *ours.layers.parameters()]
    if ours.embed is not None:
        mine, other = [*mine, ours.embed.weight], [*other, theirs.EmbeddingLayer.weight]
    pairs = list(zip(mine, other, strict=True))
    every_weight(pairs, ours)
    return pairs


def r3gan_discriminator(ours: Any, theirs: Any) -> Pairs:
    last = theirs.MainLayers[-1].Layers[-1]
    inner = [theirs.ExtractionLayer.Layer.weight, *r3gan_layers(theirs.MainLayers)]
    linear = ours.head.linear if hasattr(ours.head, "linear") else ours.head
    pairs = list(zip(ours.layers.parameters(), [*inner, last.Basis.weight], strict=True))
    return [*pairs, (linear.weight, last.LinearLayer.weight)]


def r3gan_layers(stages: Any) -> Iterator[Tensor]:
    for layer in (layer for stage in stages for layer in stage.Layers):
        if hasattr(layer, "LinearLayer1"):
            yield from (layer.LinearLayer1.Layer.weight, layer.NonLinearity1.Bias)
            yield from (layer.LinearLayer2.Layer.weight, layer.NonLinearity2.Bias)
            yield layer.LinearLayer3.Layer.weight
        elif hasattr(layer, "LinearLayer") and hasattr(layer, "Resampler"):
            yield layer.LinearLayer.Layer.weight


# -- BigGAN ---------------------------------------------------------------------------------------


def biggan() -> Iterator[Line]:
    import BigGAN  # ty: ignore[unresolved-import]

    from figment import penalties
    from figment.objectives.adversarial import hinge_discriminator
    from figment.recipes.biggan import CIFAR

    name = "BigGAN"
    how = {"resolution": 32, "n_classes": 10, "no_optim": True}
    of = {"G_ch": 16, "dim_z": 80, "shared_dim": 32, "hier": True, "norm_style": "bn"}
    g = BigGAN.Generator(**of, **how, G_attn="0", G_activation=nn.ReLU(), G_init="N02")
    d = BigGAN.Discriminator(D_ch=16, **how, D_attn="0", D_activation=nn.ReLU(), D_init="N02")
    recipe = replace(CIFAR, width=64, discriminator_width=64, shared=32, classes=10)
    nets = recipe.networks()
    ours_g, ours_d = nets["generator"], nets["discriminator"]
    of_g, of_d = biggan_generator(ours_g, g), biggan_discriminator(ours_d, d)
    every_weight([*of_g, *of_d], ours_g, ours_d)
    same_weights([*of_g, *of_d])
    z, reals, labels = torch.randn(8, 80), torch.rand(8, 3, 32, 32) * 2 - 1, torch.arange(8)
    told = torch.cat([z, one_hot(labels, 10)], 1)
    fakes, theirs = ours_g(told), g(z, g.shared(labels))
    yield output(f"{name}: pictures in training", fakes, theirs)
    hinge = hinge_discriminator(ours_d(reals, labels), ours_d(fakes.detach(), labels))
    real, fake = d(reals, labels), d(theirs.detach(), labels)
    other = nn.functional.relu(1 - real) + nn.functional.relu(1 + fake)
    yield gradients(f"{name}: D's loss by D", of_d, hinge.mean(), other.mean())
    noise = torch.randn_like(fakes)
    own, theirs = (fakes * noise).mean(), (theirs * noise).mean()
    yield gradients(f"{name}: pictures by G", of_g, own, theirs)
    settled(ours_g, ours_d, g, d)
    yield output(f"{name}: pictures in evaluation", ours_g(told), g(z, g.shared(labels)))
    yield output(f"{name}: logits", ours_d(reals, labels), d(reals, labels).flatten())
    own = penalties.r1(lambda x: ours_d(x, labels), reals).mean()
    leaf = reals.clone().requires_grad_()
    yield gradients(f"{name}: R1 by D", of_d, own, slope(leaf, d(leaf, labels)))


def settled(*nets: Any) -> None:
    """Let the iterations of spectral norm end: in evaluation theirs takes one step more than figment's."""
    for module in [module for net in nets for module in net.modules()]:
        for _ in range(1000):
            if hasattr(module, "W_"):
                module.W_()
            elif parametrize.is_parametrized(module):
                _ = module.weight
    for net in nets:
        net.eval()


def spectral(ours: Any, theirs: Any) -> Pairs:
    """Pair a layer with spectral norm, whose iterations start from one vector."""
    inside = ours.parametrizations.weight
    theirs.u0.copy_(inside[0].u)
    pairs = [(inside.original, theirs.weight)]
    bias = getattr(ours, "bias", None)
    return pairs if bias is None else [*pairs, (bias, theirs.bias)]


def biggan_generator(ours: Any, theirs: Any) -> Pairs:
    pairs = [(ours.embed.weight, theirs.shared.weight), *spectral(ours.start, theirs.linear)]
    for mine, (other,) in zip(ours.blocks, theirs.blocks, strict=True):
        for norm, bn in ((mine.norm1, other.bn1), (mine.norm2, other.bn2)):
            pairs += [*spectral(norm.gain, bn.gain), *spectral(norm.shift, bn.bias)]
        pairs += biggan_block(mine, other)
    norm, bn = ours.end[0], theirs.output_layer[0]
    last = spectral(ours.end[2], theirs.output_layer[2])
    return [*pairs, (norm.weight, bn.gain), (norm.bias, bn.bias), *last]


def biggan_discriminator(ours: Any, theirs: Any) -> Pairs:
    pairs: Pairs = []
    for mine, (other,) in zip(list(ours.layers)[:-1], theirs.blocks, strict=True):
        pairs += biggan_block(mine, other)
    head = ours.head
    return [*pairs, *spectral(head.psi, theirs.linear), *spectral(head.embedding, theirs.embed)]


def biggan_block(ours: Any, theirs: Any) -> Pairs:
    pairs = spectral(ours.convolution1, theirs.conv1) + spectral(ours.convolution2, theirs.conv2)
    aside = isinstance(ours.shortcut, nn.Conv2d)
    return pairs + (spectral(ours.shortcut, theirs.conv_sc) if aside else [])


# -- StyleGAN2 ------------------------------------------------------------------------------------


def stylegan2(networks: Any, classes: int, *, inside: bool) -> Iterator[Line]:
    from figment import penalties
    from figment.networks.stylegan2 import ClassDirection, Discriminator, Generator, plain
    from figment.penalties.path_length import path_lengths

    name, side, wide = f"StyleGAN2{', 10 classes' if classes else ''}", 64, 32
    options = {"channel_base": wide * 32, "channel_max": wide, "num_fp16_res": 0}
    synthesis = {"synthesis_kwargs": options} if inside else options
    shape = {"c_dim": classes, "img_resolution": side, "img_channels": 3}
    layers = {"mapping_kwargs": {"num_layers": 2}}
    g = networks.Generator(z_dim=wide, w_dim=wide, **shape, **layers, **synthesis).eval()
    d = networks.Discriminator(**shape, **options)
    size = {"width": wide, "resolution": side, "channels": 3}
    ours_g = Generator(latent=wide, classes=classes, mapping_layers=2, **size).eval()
    head = (lambda features: ClassDirection(features, classes)) if classes else plain
    ours_d = Discriminator(dropout=0.0, head=head, **size)
    of_g, of_d = stylegan2_generator(ours_g, g), stylegan2_discriminator(ours_d, d)
    every_weight([*of_g, *of_d], ours_g, ours_d)
    same_weights([*of_g, *of_d])
    z, reals = torch.randn(8, wide), torch.rand(8, 3, side, side) * 2 - 1
    labels = torch.arange(8) % max(1, classes)
    c = one_hot(labels, classes) if classes else torch.zeros(8, 0)
    styles = ours_g.mapping(torch.cat([z, c], 1))[:, None].expand(-1, ours_g.layers, -1)
    ws = g.mapping(z, c)
    yield output(f"{name}: styles", styles, ws)
    fakes = ours_g(styles)
    yield output(f"{name}: pictures", fakes, g.synthesis(ws, noise_mode="const"))
    order = torch.arange(8).view(4, 2).T.flatten()  # our groups are neighbours, theirs every second
    told = (labels[order],) if classes else ()
    yield output(f"{name}: logits", ours_d(reals[order], *told), d(reals, c).flatten()[order])
    own = penalties.r1(lambda x: ours_d(x, *told), reals[order]).mean()
    leaf = reals.clone().requires_grad_()
    yield gradients(f"{name}: R1 by D", of_d, own, slope(leaf, d(leaf, c)))
    torch.manual_seed(1)
    lengths = path_lengths(ours_g, styles)
    torch.manual_seed(1)
    pictures = g.synthesis(ws, noise_mode="const", fused_modconv=False)
    noise = torch.randn_like(pictures) / side
    (found,) = torch.autograd.grad((pictures * noise).sum(), ws, create_graph=True)
    theirs = found.square().sum(2).mean(1).sqrt()
    yield output(f"{name}: path lengths", lengths, theirs)
    mean = theirs.mean().item() / 2
    own, theirs = (lengths - mean).square().mean(), (theirs - mean).square().mean()
    yield gradients(f"{name}: path length by G", of_g, own, theirs)


def both(ours: Any, theirs: Any) -> Pairs:
    pairs = [(ours.weight, theirs.weight)]
    return pairs if ours.bias is None else [*pairs, (ours.bias, theirs.bias)]


def stylegan2_mapping(ours: Any, theirs: Any) -> Pairs:
    pairs = [] if ours.embed is None else both(ours.embed, theirs.embed)
    return pairs + [
        p for n, own in enumerate(ours.layers) for p in both(own, getattr(theirs, f"fc{n}"))
    ]


def stylegan2_generator(ours: Any, theirs: Any) -> Pairs:
    pairs = [(ours.constant, theirs.synthesis.b4.const)]
    pairs += stylegan2_mapping(ours.mapping, theirs.mapping)
    for level, (same, picture) in enumerate(zip(ours.sames, ours.pictures, strict=True)):
        block = getattr(theirs.synthesis, f"b{4 << level}")
        pairs += stylegan2_layer(same, block.conv1)
        pairs += stylegan2_layer(picture, block.torgb)
        if level:
            pairs += stylegan2_layer(ours.ups[level - 1], block.conv0)
    return pairs


def stylegan2_layer(ours: Any, theirs: Any) -> Pairs:
    pairs = [*both(ours.convolution.style, theirs.affine), (ours.bias, theirs.bias)]
    pairs.append((ours.convolution.weight, theirs.weight))
    if hasattr(ours, "strength"):
        theirs.noise_const.copy_(ours.noise)
        pairs.append((ours.strength, theirs.noise_strength))
    return pairs


def stylegan2_discriminator(ours: Any, theirs: Any) -> Pairs:
    sides = [64 >> level for level in range(len(ours.blocks))]
    pairs = both(ours.first, getattr(theirs, f"b{sides[0]}").fromrgb)
    for side, own in zip(sides, ours.blocks, strict=True):
        block = getattr(theirs, f"b{side}")
        pairs += both(own.same, block.conv0) + both(own.down, block.conv1)
        pairs += both(own.aside[1], block.skip)
    pairs += both(ours.last, theirs.b4.conv) + both(ours.linear, theirs.b4.fc)
    if not hasattr(theirs, "mapping"):
        return pairs + both(ours.head, theirs.b4.out)
    return (
        pairs + both(ours.head.linear, theirs.b4.out) + stylegan2_mapping(ours.head, theirs.mapping)
    )


if __name__ == "__main__":
    raise SystemExit(main())
