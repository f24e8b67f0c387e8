"""BigGAN's generator: the shared embedding, chunks of the latent, what spectral norm spares."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from figment.networks.biggan import Generator, chunks_of, initialise, norms_spectrally
from figment.networks.layers.conditional_norm import ConditionalBatchNorm, SharedEmbedding
from figment.networks.surgery import spectrally

SIZE = {"latent": 12, "shared": 4, "width": 8, "resolution": 32, "channels": 3}


def test_shapes_with_and_without_classes():
    assert Generator(classes=2, **SIZE)(torch.randn(2, 14)).shape == (2, 3, 32, 32)
    plain = Generator(**SIZE)
    assert plain.embed is None
    assert plain(torch.randn(2, 12)).shape == (2, 3, 32, 32)


def test_a_chunk_a_block_and_one_for_the_first_map():
    assert [chunks_of(side) for side in (16, 32, 64, 128)] == [3, 4, 5, 6]
    net = Generator(classes=2, **SIZE)
    assert net.start.in_features == 3
    norms = [m for m in net.modules() if isinstance(m, ConditionalBatchNorm)]
    assert len(norms) == 6
    assert all(norm.gain.in_features == 4 + 3 for norm in norms)


def test_the_last_chunk_reaches_the_last_block_alone():
    net = Generator(**SIZE).eval()
    outputs = []
    for block in net.blocks:
        block.register_forward_hook(lambda _, given, out: outputs.append(out))
    z = torch.randn(1, 12)
    net(z)
    net(torch.cat([z[:, :9], torch.randn(1, 3)], dim=1))
    first, second = outputs[:3], outputs[3:]
    assert [torch.equal(a, b) for a, b in zip(first, second, strict=True)] == [True, True, False]


def test_a_mixture_of_classes_has_the_mixture_of_their_rows():
    embed = SharedEmbedding(3, 4)
    mixed = embed(torch.tensor([[0.5, 0.0, 0.5]]))
    assert torch.allclose(mixed[0], (embed.weight[0] + embed.weight[2]) / 2)


def test_spectral_norm_is_on_all_but_the_shared_embedding():
    net = Generator(classes=2, **SIZE).apply(initialise)
    norms_spectrally(net)
    spectrally(net)
    plain = [
        name
        for name, m in net.named_modules()
        if isinstance(m, nn.Linear | nn.Conv2d | nn.Embedding)
        and not parametrize.is_parametrized(m)
    ]
    assert plain == ["embed"]


def test_initial_weights_are_normal_with_002():
    net = Generator(classes=10, **{**SIZE, "width": 32, "shared": 64}).apply(initialise)
    for weight in (net.embed.weight, net.start.weight, net.blocks[1].convolution1.weight):
        assert weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert not net.start.bias.any()
