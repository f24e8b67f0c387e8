"""Semi-supervised GANs: few labelled pictures, many without (system L4; Salimans et al. 2016, section 5).

The discriminator is a classifier of K classes whose K logits also tell real from fake: "fake" has the
fixed logit 0, so the logit of "real" is their log-sum-exp. It minimises the cross entropy on the labelled
pictures and half of the usual loss on the others and on fakes. The generator matches its mean features,
which makes poorer pictures and a better classifier. The classifier that is kept and tested has the mean
of the discriminator's weights over its moves.

Numbers are those of the authors' code: 100 labels of MNIST (.93 % wrong), 4,000 of CIFAR-10 (18.63 %),
1,000 of SVHN (8.11 %).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self, cast

from figment.errors import UserError
from figment.fields import neutral
from figment.gan import GAN
from figment.recipes import limits
from figment.rounds import Batch, Clock, Engine, Terms

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.data import Look
    from figment.networks.semisupervised import Average, Classifier, Labelled
    from figment.rounds import Scalars

FIRST = 500
"""Pictures by which the discriminator's units are set before the first move; for the generator
100 latents."""
EPOCH = 60_000
"""Pictures of MNIST in one pass."""
USED = ("classes", "class_loss")
"""Fields that this game uses without any conditioning."""


@dataclass(frozen=True, kw_only=True)
class SemiSupervised(GAN):
    """GAN whose discriminator learns classes from a few labelled pictures."""

    resolution: int = 28
    batch: int = 100
    generator_lr: float = 3e-3
    discriminator_lr: float = 3e-3
    adversarial: float = 0.0
    feature_matching: float = 1.0
    ema: int = 0

    labelled: int = 100
    """Pictures whose classes are given, as many of each class, chosen by the seed."""
    labelled_list: str = ""
    """A text file of the labelled pictures instead: a path below DATA (in a packed file: a row) a line, and
    after a tab the class where its folder does not say it."""
    class_names: tuple[str, ...] = ()
    """Names of the classes; none: those that the data or the list have."""
    unsupervised: float = 1.0
    """Weight of the discriminator's loss on pictures without labels and on fakes."""
    averaging: float = 1e-4
    """Weight of the newest weights in the mean that classifies."""
    epsilon: float = 1e-4
    """Number that Adam and RMSprop add to a gradient's size: far smaller ones make smaller steps."""
    matching: Literal["squared", "absolute"] = "squared"
    """Distance of mean features that feature matching takes."""

    network: Literal["mlp", "conv"] = "mlp"
    """Fully connected as for MNIST, or convolutional as for CIFAR-10 and SVHN."""
    width: int = 250
    """Units of the discriminator's last hidden layers; conv: channels of its first ones."""
    generator_width: int = 500
    """Units of the generator's hidden layers; conv: channels before the picture."""
    noise: tuple[float, float] = (0.3, 0.5)
    """Deviation of the noise on pixels in [0, 1] and on the discriminator's hidden layers; mlp alone."""
    input_dropout: float = 0.0
    """Share of pixels that are dropped while the discriminator learns; conv alone."""

    # -- what it is -------------------------------------------------------------------------------

    def check(self) -> None:
        super().check()
        _refuse(self)

    def idle(self) -> Mapping[str, str]:
        found = {field: why for field, why in super().idle().items() if field not in USED}
        if self.optimizer == "sgd":
            found["epsilon"] = "with --optimizer sgd"
        if self.feature_matching == 0:
            found["matching"] = "without --feature-matching"
        return found

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        """As every recipe's; classes are those of the list or, without one, of the data's folders."""
        fitted = super().fit_to(look, pinned - {"classes"})  # no conditioning tells them
        if not self.labelled_list:
            return fitted._with_classes(look.classes, look.name, pinned)
        from figment.data.labelling import read_list

        listed = read_list(self.labelled_list)
        named = tuple(sorted({name for _, name in listed if name}))
        changes: dict[str, float] = {"labelled": len(listed)}
        if "labelled" in pinned and self.labelled != len(listed):
            raise UserError(
                f"labelled says {self.labelled}, {self.labelled_list} names {len(listed)}: "
                "leave labelled out"
            )
        if "held_out" not in pinned:
            changes["held_out"] = 0.0  # whoever names pictures wants them learned from
        return replace(fitted, **changes)._with_classes(look.classes or named, look.name, pinned)

    def _with_classes(self, names: tuple[str, ...], data: str, pinned: frozenset[str]) -> Self:
        if len(names) < 2:
            raise UserError(
                f"{data} has no classes: give each a folder, or name them in --labelled-list"
            )
        given = (self.class_names or names, self.classes if "classes" in pinned else len(names))
        if given != (names, len(names)):
            raise UserError(
                f"the classes of {data} are {', '.join(names)}: leave class_names and classes out"
            )
        return replace(self, class_names=names, classes=len(names))

    def nearest_resolution(self, side: int) -> int:
        side = min(side, self.resolution)
        return max(16, side - side % 8) if self.network == "conv" else side

    def tiny(self) -> Self:
        tiny = replace(super().tiny(), resolution=16, labelled=4, classes=2)
        return replace(tiny, width=8, generator_width=8)

    # -- the players ------------------------------------------------------------------------------

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.semisupervised import Average, Labelled

        generator, discriminator = self._networks()
        return nn.ModuleDict(
            {
                "generator": generator,
                "discriminator": discriminator,
                "classifier": Average(discriminator),
                "labelled": Labelled(self.labelled, self.shape),
            }
        )

    def _networks(self) -> tuple[nn.Module, Classifier]:
        from figment.networks import semisupervised as nets

        if self.network == "mlp":
            hidden = (4 * self.width, 2 * self.width, self.width, self.width, self.width)
            return nets.Generator(
                latent=self.latent, shape=self.shape, hidden=(self.generator_width,) * 2
            ), nets.Discriminator(
                shape=self.shape, classes=self.classes, hidden=hidden, noise=self.noise
            )
        return nets.ConvGenerator(
            latent=self.latent,
            resolution=self.resolution,
            channels=self.channels,
            width=self.generator_width,
        ), nets.ConvDiscriminator(
            widths=(self.width, 2 * self.width),
            channels=self.channels,
            classes=self.classes,
            dropout=self.dropout,
            input_dropout=self.input_dropout,
        )

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        """As every recipe's, with the authors' epsilon: theirs is 1e-8 under the root, beside g²."""
        found = super().optimizers(nets)
        for optimizer in found.values():
            for group in optimizer.param_groups:
                if "eps" in group:
                    group["eps"] = self.epsilon
        return found

    def begin(self, engine: Engine) -> None:
        """Choose the labelled pictures; fit the first weights to 500 pictures and 100 latents."""
        import torch

        from figment import mesh
        from figment.data import gather
        from figment.data.labelling import choose_labelled
        from figment.networks.layers.calibration import Calibrated, calibrate

        super().begin(engine)
        nets, feed = engine.nets, engine.feed
        labelled = cast("Labelled", nets["labelled"])
        rows, labels = choose_labelled(
            feed.dataset,
            feed.rows,
            self.class_names,
            classes=self.classes,
            labelled=self.labelled,
            labelled_list=self.labelled_list,
            seed=self.seed,
        )
        images = torch.from_numpy(gather(feed.dataset, rows)[0])
        labelled.images.copy_(images)
        labelled.labels.copy_(torch.from_numpy(labels))
        latents = torch.randn(100 - 100 % mesh.size(), self.latent, device=engine.device)
        calibrate(nets["generator"], latents[mesh.rows(len(latents))])
        layers = [layer for layer in nets["generator"].modules() if isinstance(layer, Calibrated)]
        if "average" in nets and not all(layer.learned for layer in layers):
            nets["average"].load_state_dict(nets["generator"].state_dict())
        count = min(FIRST, len(feed.rows))
        calibrate(nets["discriminator"], feed.first(count - count % mesh.size())[0])

    def match(self, real: Tensor, fake: Tensor) -> Tensor:
        """As all recipes, or by the mean absolute difference, as in the authors' code for CIFAR-10."""
        if self.matching == "squared":
            return super().match(real, fake)
        from figment.objectives.features import absolute_feature_matching

        return absolute_feature_matching(real, fake)

    def classifier(self, nets: nn.ModuleDict) -> nn.Module:
        """The mean of the discriminator's weights, which the authors' code tests too."""
        return nets["classifier"]

    def validate(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Scalars:
        """What every game's log says, and the share of pictures that are classified rightly."""
        found = super().validate(nets, images, labels)
        if found and labels is not None:
            right = nets["classifier"](images).argmax(1) == labels
            found["score/held_out_class"] = right.float().mean()
        return found

    def after(self, player: str, nets: nn.ModuleDict) -> None:
        super().after(player, nets)
        if player == "discriminator":
            cast("Average", nets["classifier"]).follow(nets["discriminator"], self.averaging)

    # -- the game ---------------------------------------------------------------------------------

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        """Real against fake as all recipes have it, halved as in the authors' code, and the classes."""
        shared = super().discriminator_terms(nets, batch, fakes, clock)
        weighted = self.unsupervised / 2 * shared.losses["adversarial"]
        halved = shared._replace(losses=shared.losses | {"adversarial": weighted})
        return halved.and_(self.class_terms(nets, clock))

    def class_terms(self, nets: nn.ModuleDict, clock: Clock) -> Terms:
        """What the discriminator minimises on labelled pictures."""
        from figment.microbatch import in_parts
        from figment.objectives.classes import supervised

        images, labels = self._labelled_batch(nets, clock)
        classes = in_parts(cast("Classifier", nets["discriminator"]).classify, images)
        right = (classes.detach().argmax(1) == labels).float().mean()
        loss = self.class_loss * supervised(classes, labels).mean()
        return Terms({}, {"class": loss}, {"score/class": right})

    def _labelled_batch(self, nets: nn.ModuleDict, clock: Clock) -> tuple[Tensor, Tensor]:
        """Return this process's share of the labelled batch that belongs to this moment.

        Labelled pictures come in shuffled passes, like the others. They are seen as the others are.
        """
        import torch

        from figment import mesh
        from figment.data import Order

        labelled = cast("Labelled", nets["labelled"])
        order = Order(len(labelled), self.seed)
        rows = torch.from_numpy(order.indices(max(0, clock.images - self.batch), self.batch))
        mine = mesh.rows(self.batch)
        images, labels = labelled.take(rows[mine].to(labelled.labels.device))
        return self.show(nets, self.reals(images, clock)), labels


def _refuse(recipe: SemiSupervised) -> None:
    """Raise UserError for values out of range, and for fields that this discriminator cannot have."""
    limits.at_least(recipe, 1, "labelled", "width", "generator_width")
    limits.at_least(recipe, 2, "classes")
    limits.two_images(recipe)
    if not recipe.labelled_list and recipe.labelled % recipe.classes:
        nearby = max(1, recipe.labelled // recipe.classes) * recipe.classes
        raise UserError(
            f"labelled must be as many of each of {recipe.classes} classes, not {recipe.labelled}: "
            f"try --labelled {nearby}"
        )
    if recipe.unsupervised < 0:
        raise UserError(f"unsupervised must be 0 or more, not {recipe.unsupervised}")
    if not 0 < recipe.averaging <= 1:
        raise UserError(f"averaging must be above 0 and at most 1, not {recipe.averaging}")
    if recipe.epsilon <= 0:
        raise UserError(f"epsilon must be above 0, not {recipe.epsilon}")
    _refuse_networks(recipe)


def _refuse_networks(recipe: SemiSupervised) -> None:
    reasons = {
        "conditioning": "the discriminator tells classes already",
        "guidance": "a guide would learn from every label",
        "guidance_balance": "a guide would learn from every label",
        "packing": "a pack has no single class",
        "minibatch_discrimination": "a picture's class must not hang on the rest of its batch",
        "minibatch_stddev": "a picture's class must not hang on the rest of its batch",
        "spectral_norm": "the weights are normalised already",
    }
    for name, reason in reasons.items():
        if getattr(recipe, name) != neutral(type(recipe), name):
            raise UserError(f"{reason}: leave {name} out")
    if min(recipe.noise) < 0:
        raise UserError(f"noise must be 0 or more, not {recipe.noise}")
    limits.share(recipe, "input_dropout")
    if recipe.network == "mlp" and (recipe.dropout or recipe.input_dropout):
        raise UserError(
            "network mlp takes noise, not dropout: leave dropout and input_dropout at 0"
        )
    if recipe.network == "conv" and any(recipe.noise):
        raise UserError("network conv takes dropout, not noise: set --noise 0 0")
    if recipe.network == "conv" and (recipe.resolution < 16 or recipe.resolution % 8):
        raise UserError(
            f"resolution must be a multiple of 8 from 16 on, not {recipe.resolution}: try 32"
        )


SSL_MNIST = SemiSupervised(channels=1, classes=10, images=300 * EPOCH, precision="float32")
"""In bfloat16 the generator cannot follow: at epsilon 1e-5 the discriminator wins within three passes."""
SSL_CIFAR = SemiSupervised(
    resolution=32,
    classes=10,
    labelled=4_000,
    network="conv",
    width=96,
    generator_width=128,
    noise=(0.0, 0.0),
    dropout=0.5,
    input_dropout=0.2,
    matching="absolute",
    generator_lr=3e-4,
    discriminator_lr=3e-4,
    rate_decay=1 / 3,
    images=1_200 * 50_000,
)
