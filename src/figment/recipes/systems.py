"""The systems by name: the one table."""

from __future__ import annotations

from typing import NamedTuple

from figment.recipe import Recipe
from figment.recipes import (
    biggan,
    dcgan,
    faces,
    fastgan,
    fccgan,
    few_shot,
    flow_matching,
    flowers,
    goodfellow,
    mlp,
    points,
    progan,
    r3gan,
    resnet,
    semisupervised,
    stacked_mnist,
    stylegan,
    stylegan2,
    vae,
    wgan,
)


class System(NamedTuple):
    """A named recipe and what it reproduces."""

    id: str
    recipe: Recipe
    source: str


SYSTEMS = {
    "cats-mlp-grey": System("C1", mlp.CATS_GREY, "Cats study 2019, first run: grey, lr 2e-5"),
    "cats-mlp": System("C2", mlp.CATS_COLOUR, "Cats study 2019, second run: colour, lr 2e-4"),
    "cats-mlp-minibatch": System(
        "C3", mlp.CATS_MINIBATCH, "Cats study 2019: C2 with minibatch discrimination"
    ),
    "cats-mlp-unrolled": System(
        "C4", mlp.CATS_UNROLLED, "Cats study 2019, after Metz et al. 2016: C2 unrolled, K = 5"
    ),
    "dcgan": System("C5", dcgan.DCGAN_64, "Radford et al. 2015, as PyTorch's tutorial builds it"),
    "dcgan-radford": System(
        "C5r", dcgan.RADFORD, "Radford et al. 2015, as the authors' own code has it: 5x5 kernels"
    ),
    "dcgan-ada": System(
        "C5a", dcgan.ADAPTIVE, "Karras et al. 2020a: C5 with flips and shifts, adaptively"
    ),
    "few-shot": System(
        "FS",
        few_shot.FEW_SHOT,
        "Radford et al. 2015 with Zhao et al. 2020, for 50 to 2,000 pictures",
    ),
    "vision-aided": System(
        "V1", dcgan.VISION_AIDED, "Kumari et al. 2022, Sauer et al. 2021: heads on frozen features"
    ),
    "faces": System("F1", faces.FACES, "Faces study 2019: convolutional G, fully connected D"),
    "fccgan-baseline": System(
        "S1", fccgan.STUDY_BASELINE, "Study: DCGAN at 32 px with 5x5 kernels, FCC-GAN's baseline"
    ),
    "fccgan": System("S2", fccgan.FCC, "Barua et al. 2019: FCC-GAN for CIFAR-10, pooled"),
    "fccgan-128": System("S3", fccgan.STUDY_128, "Study: FCC-GAN at 128 px, the first map widened"),
    "fccgan-smooth": System(
        "S4", fccgan.SMOOTH, "Study: FCC-GAN with up-sampling and average pooling"
    ),
    "fccgan-baseline-aided": System(
        "S5", fccgan.AIDED, "Study: S1 with instance noise, replay, two rates and self-attention"
    ),
    "fccgan-baseline-extragradient": System(
        "S5e", fccgan.EXTRAGRADIENT, "Study, after Gidel et al. 2019: S1 by extragradient"
    ),
    "fccgan-baseline-svre": System(
        "S5v", fccgan.SVRE, "Study, after Chavdarova et al. 2019: S1 with reduced variance"
    ),
    "goodfellow": System(
        "L1", goodfellow.GOODFELLOW, "Goodfellow et al. 2014: MNIST, maxout units, as in their code"
    ),
    "goodfellow-minimax": System(
        "L1m", goodfellow.MINIMAX, "Goodfellow et al. 2014: L1 with the paper's minimax game"
    ),
    "dcgan-features": System(
        "L2", dcgan.FEATURES, "Salimans et al. 2016: C5, the generator by feature matching alone"
    ),
    "dcgan-historical": System(
        "L2h", dcgan.HISTORICAL, "Salimans et al. 2016: C5 with historical averaging"
    ),
    "dcgan-virtual": System(
        "L3", dcgan.VIRTUAL, "Salimans et al. 2016: C5 with virtual batch norm in the generator"
    ),
    "dcgan-reference": System(
        "L3r", dcgan.REFERENCE, "Salimans et al. 2016: C5 with reference batch norm there"
    ),
    "ssl-mnist": System(
        "L4",
        semisupervised.SSL_MNIST,
        "Salimans et al. 2016: a classifier from 100 labels of MNIST",
    ),
    "ssl-cifar": System(
        "L4c", semisupervised.SSL_CIFAR, "Salimans et al. 2016: the same from 4,000 of CIFAR-10"
    ),
    "dcgan-concat": System(
        "L5", dcgan.CONCAT, "Mirza & Osindero 2014: C5 with one-hot classes for both players"
    ),
    "sngan-projection": System(
        "L5p", resnet.PROJECTION, "Miyato & Koyama 2018: conditional batch norm, projection"
    ),
    "acgan": System(
        "L5a", resnet.ACGAN, "Gulrajani et al. 2017 with classes, after Odena et al. 2017: AC-GAN"
    ),
    "sngan": System("N1", resnet.SNGAN, "Miyato et al. 2018: SNGAN's ResNet for CIFAR-10"),
    "sagan": System(
        "N2", resnet.SAGAN, "Zhang et al. 2019: SAGAN's training, on N1's networks at 64 px"
    ),
    "resnet-wgan-gp": System(
        "N3", resnet.WGAN_GP, "Gulrajani et al. 2017: WGAN-GP's ResNet for CIFAR-10"
    ),
    "wgan": System("W0", wgan.WGAN, "Arjovsky et al. 2017: C5's networks, weights clipped"),
    "flowers-28": System(
        "W1", flowers.STAGE_1, "Flowers study: WGAN-GP at 28 px, transposed convolutions unpadded"
    ),
    "flowers-28-classes": System(
        "W2", flowers.STAGE_2, "Flowers study: W1 by class, one-hot for both players"
    ),
    "flowers-64-k3": System(
        "W3", flowers.STAGE_3, "Flowers study: 64 px by 3x3 transposed convolutions: checkerboards"
    ),
    "flowers-64-k4": System(
        "W4", flowers.STAGE_4, "Flowers study: 64 px by 4x4 ones with padding: a weaker grid"
    ),
    "flowers-64": System("W5", flowers.STAGE_5, "Flowers study: 64 px by bilinear up-sampling"),
    "flowers-128": System("W6", flowers.STAGE_6, "Flowers study: W5 with one up-sampling more"),
    "biggan": System(
        "M3", biggan.CIFAR, "Brock et al. 2019: BigGAN in its size for CIFAR-10, with classes"
    ),
    "biggan-small": System("M3s", biggan.SMALL, "Brock et al. 2019: M3 in a size for a processor"),
    "r3gan": System("M4", r3gan.SMALL, "Huang et al. 2024: R3GAN in a size for a processor"),
    "r3gan-cifar": System(
        "M4c", r3gan.CIFAR, "Huang et al. 2024: R3GAN for CIFAR-10, with classes"
    ),
    "r3gan-ffhq-64": System("M4p", r3gan.FFHQ_64, "Huang et al. 2024: R3GAN for faces of 64 px"),
    "r3gan-ffhq-256": System("M4q", r3gan.FFHQ_256, "Huang et al. 2024: R3GAN for faces of 256 px"),
    "fastgan": System("M4f", fastgan.SMALL, "Liu et al. 2021: FastGAN in a size for a processor"),
    "stacked-mnist": System(
        "K1", stacked_mnist.HALF, "Metz et al. 2016, as Lin et al. 2018 build it: 1,000 modes"
    ),
    "progan": System(
        "M2p",
        progan.PROGAN_64,
        "Karras et al. 2018: ProGAN, growing from 4 px, an eighth as wide",
    ),
    "stylegan": System(
        "M2s",
        stylegan.STYLEGAN_64,
        "Karras et al. 2019: StyleGAN, growing from 8 px, an eighth as wide",
    ),
    "stylegan2": System(
        "M2",
        stylegan2.STYLEGAN2_64,
        "Karras et al. 2020: StyleGAN2 in the numbers of ADA's code, an eighth as wide",
    ),
    "stylegan2-ada": System(
        "M2a", stylegan2.ADA_64, "Karras et al. 2020a: M2 with adaptive augmentation (ADA)"
    ),
    "ae": System(
        "M1", vae.AE, "Ghosh et al. 2020: an autoencoder, a normal distribution of its codes"
    ),
    "vae": System(
        "M1v", vae.VAE_64, "Kingma & Welling 2014: a variational autoencoder, convolutional"
    ),
    "vae-mlp": System(
        "M1m", vae.VAE_MLP, "Kingma & Welling 2014: fully connected, as in the paper"
    ),
    "flow-matching": System(
        "FM",
        flow_matching.FLOW_MATCHING,
        "Lipman et al. 2023: straight paths from noise, a small U-Net",
    ),
    "points": System(
        "P1", points.POINTS, "Goodfellow et al. 2014 in the plane, after Metz et al. 2016"
    ),
}
