"""WGAN with clipped weights: Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875 (system W0).

DCGAN's networks, batch norm in the critic included, without a sigmoid. Five critic moves a round, after
each of which all its weights are cut to ±.01; RMSprop with rate 5e-5, no momentum. The decay rate of
squares is that of PyTorch, .99. As in algorithm 1 the critic has five moves in every round; the authors'
code gives it 100 in each of the first 25 and in every 500th. Here a larger value means "more real",
there it is the other way round. The paper names no length: this one is 10,000 generator moves.

What it is to teach: weights gather at ±.01, the critic comes near to a linear function, and learning is
slow. The cure is a gradient penalty: ``--gradient-penalty 10 --clip 0 --discriminator-norm layer``.
"""

from __future__ import annotations

from figment.recipes.dcgan import DCGAN

WGAN = DCGAN(
    objective="wasserstein",
    real_target=1.0,
    clip=0.01,
    discriminator_moves=5,
    batch=64,
    images=10_000 * 5 * 64,
    optimizer="rmsprop",
    betas=(0.0, 0.99),
    generator_lr=5e-5,
    discriminator_lr=5e-5,
)
