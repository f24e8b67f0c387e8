"""Settings: the fields that all recipes share, each with its line of help. See ``figment.recipe``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Augment = Literal["none", "study", "diffaugment", "ada", "ada-fixed"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Numbers and choices that decide what a run learns; every one is a flag of the command line."""

    resolution: int = 64
    """Pixels a side."""
    channels: int = 3
    """1 for grey, 3 for colour."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How a picture that is not square becomes square."""
    held_out: float = 0.05
    """Share of the pictures that training never sees, for honest scores (none of fewer than 200)."""
    mirror: bool = False
    """Show half of the reals mirrored left to right."""

    augment: Augment = "none"
    """Of the reals alone (study), or of all that the discriminator sees (diffaugment, ada, ada-fixed)."""
    augment_p: float = 0.0
    """Probability of each transform of ADA: at the start (ada), or all along (ada-fixed)."""
    ada_target: float = 0.6
    """Mean sign of the discriminator on reals that ADA's probability holds."""
    ada_images: int = 500_000
    """Images in which ADA's probability can go from 0 to 1."""
    ada_transforms: Literal["bg", "bgc", "bgcf", "bgcfn", "bgcfnc", "r3gan"] = "bgc"
    """Transforms of ADA: blits, geometry, colours, filters, noise, cutouts; or those of R3GAN."""

    images: int = 1_000_000
    """Length of the training, in real images shown to the discriminator."""
    batch: int = 64
    """Images a move, over all processes."""
    seed: int = 0
    """Seed of everything random."""

    latent: int = 100
    """Numbers in a latent."""
    dropout: float = 0.0
    """Share of the discriminator's hidden units that are dropped while it learns."""

    objective: Literal[
        "nonsaturating",
        "minimax",
        "least_squares",
        "hinge",
        "wasserstein",
        "relativistic",
        "relativistic_average",
    ] = "nonsaturating"
    """The pair of losses."""
    real_target: float = 1.0
    """Label of reals in the discriminator's loss; .9 is one-sided smoothing."""
    fake_target: float = 0.0
    """Label of fakes in the discriminator's loss; above 0 is two-sided smoothing."""
    packing: int = 1
    """Samples that the discriminator judges together (PacGAN's m)."""
    instance_noise: float = 0.0
    """Deviation of the noise on all that the discriminator sees, at the start."""
    instance_noise_images: int = 0
    """Images until that noise has faded to nothing; 0: the whole training."""
    replay: int = 0
    """Earlier fakes that are kept; half of the discriminator's fakes are drawn from them."""
    r1: float = 0.0
    """Weight of half the squared gradient on reals."""
    r2: float = 0.0
    """Weight of half the squared gradient on fakes."""
    gradient_penalty: float = 0.0
    """Weight of the gradient's squared distance from 1 between reals and fakes (WGAN-GP)."""
    gradient_penalty_sides: Literal[1, 2] = 2
    """2: any gradient that is not 1 costs; 1: only steeper ones."""
    zero_centred: float = 0.0
    """Weight of the squared gradient between reals and fakes."""
    dragan: float = 0.0
    """Weight of the gradient's squared distance from 1 around reals."""
    penalty_every: int = 1
    """Rounds between two applications of the penalties on gradients, which weigh the more then."""
    lecam: float = 0.0
    """Weight of LeCam's pull on the logits, from round 1,000 on."""
    consistency: float = 0.0
    """Weight of the change of logits under flips and shifts of reals."""
    consistency_fake: float = 0.0
    """The same of fakes."""
    drift: float = 0.0
    """Weight of the squared logits of reals."""
    orthogonal: float = 0.0
    """Weight of the distance of a layer's filters from orthonormal ones, in both networks."""
    off_diagonal: float = 0.0
    """The same without asking for filters of length 1 (BigGAN's)."""
    historical_averaging: float = 0.0
    """Weight of the squared distance of both players' weights from their own past mean."""
    latent_consistency: float = 0.0
    """Weight of the change of the discriminator's logits under small steps of the latents (zCR)."""
    latent_diversity: float = 0.0
    """Weight of the change of fakes under the same steps, which the generator is to have (zCR)."""
    clip: float = 0.0
    """Bound on every weight of the discriminator (WGAN); 0: none."""
    adversarial: float = 1.0
    """Weight of the objective in the generator's loss."""
    feature_matching: float = 0.0
    """Weight of the distance of mean discriminator features in the generator's loss."""
    top_k: float = 1.0
    """Least share of fakes that the generator learns from, those that are judged best; 1: all."""

    minibatch_discrimination: int = 0
    """Kernels that compare the pictures of a batch, scaled by the first batch of reals; 0: none."""
    minibatch_dimensions: int = 16
    """Numbers that each of these kernels compares."""
    minibatch_stddev: bool = False
    """Tell the discriminator how much the pictures of a group of four vary."""
    spectral_norm: Literal["none", "discriminator", "both"] = "none"
    """Networks whose layers are divided by their largest singular value."""
    discriminator_norm: Literal["batch", "none", "layer", "instance"] = "batch"
    """What stands in the place of the discriminator's batch norms."""
    generator_norm: Literal["batch", "reference", "virtual"] = "batch"
    """Statistics of the generator's batch norms: the batch's, those of one kept batch, both."""
    reference: int = 64
    """Latents in the batch that reference and virtual batch norm keep."""

    conditioning: Literal["none", "concat", "projection", "classifier"] = "none"
    """How the discriminator takes classes: as constant maps, by projection, by telling them (AC-GAN)."""
    class_norm: bool = False
    """The generator takes classes by gains of its batch norms, in place of a one-hot beside the latent."""
    classes: int = 0
    """Classes there are; 0: as many as the data have."""
    class_shares: tuple[float, ...] = ()
    """Share of each class in samples that name none: those of the data, unless given; empty: all alike."""
    class_loss: float = 1.0
    """Weight of an auxiliary classifier's loss for the discriminator."""
    class_loss_generator: float = 1.0
    """The same for the generator."""
    guidance: float = 0.0
    """Weight of a frozen classifier's loss on fakes, whose latents come from a mode a class."""
    guidance_balance: float = 0.0
    """Weight of the distance of that classifier's mean verdict on fakes from all classes alike."""
    guide_images: int = 50_000
    """Most pictures, repeats counted, that this classifier learns from before the first round."""

    discriminator_moves: int = 1
    """Discriminator moves a round (k), each on fresh reals."""
    generator_moves: int = 1
    """Generator moves a round, each on fresh latents."""
    balance: float = 0.0
    """Accuracy above which the discriminator skips its move; 0: it never does."""

    play: Literal[
        "alternating", "simultaneous", "unrolled", "extragradient", "optimistic", "svre"
    ] = "alternating"
    """How the two players take turns."""
    unroll: int = 5
    """Steps of the discriminator that an unrolled generator looks ahead (K)."""

    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    """What makes steps of gradients."""
    generator_lr: float = 2e-4
    """Learning rate of the generator."""
    discriminator_lr: float = 2e-4
    """Learning rate of the discriminator."""
    rate_decay: float = 0.0
    """Last share of the training over which both learning rates fall straight to 0; 1: all of it."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of Adam; the momentum of the others, and RMSprop's decay rate."""
    ema: int = 10_000
    """Half-life, in images, of the averaged generator that samples are drawn from; 0: no average."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of the networks' products; auto: bfloat16 where it is far faster."""
    tick: int = 2_000
    """Images between two lines of the log."""
    sample_every: int = 0
    """Images between two sample grids; 0: ever wider apart, each a quarter later than the last."""
    snapshot_every: int = 0
    """Images between two snapshots; 0: ever wider apart, each half as late again as the last."""
    save_every: int = 0
    """Images between two saves of the state for resuming; 0: about once a minute."""

    metrics: tuple[str, ...] = ("kid",)
    """Scores measured during training; by the first of them the best weights are chosen."""
    features: str = "auto"
    """What scores compare: auto, small, mobilenet, inception, dinov2, NAME:FILE or file:FILE."""
    metric_every: int = 0
    """Images between two measurements; 0: as often as a tenth of the time allows."""
    metric_count: int = 1_000
    """Samples a measurement draws."""
    patience: int = 0
    """Stop after so many measurements without a better one; 0: never."""
    on_collapse: Literal["warn", "stop", "rollback"] = "warn"
    """On collapse or relapse: say so, stop, or go back to healthy weights and half the rates."""

    kind: ClassVar[Literal["images", "points"]] = "images"
    """What the family learns: pictures, or points in the plane."""
