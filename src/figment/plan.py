"""The plan of a training, made step by step: which recipe, in which form for the data, at what cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from figment import mesh
from figment.errors import UserError
from figment.fields import fields_of
from figment.recipe import Recipe, with_fields
from figment.recipes import find, own, suited
from figment.training.budget import LONGEST

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from figment.data import Dataset, Look
    from figment.training.budget import Budget
    from figment.training.cost import Cost
    from figment.training.monitor import Untrained


@dataclass(frozen=True)
class Plan:
    """What will be trained. Every step returns the next plan, with more of the recipe decided."""

    name: str
    recipe: Recipe
    look: Look
    """What a glance at the data showed."""
    pinned: frozenset[str]
    """Fields that no step changes: those that the user has set, or that another run's weights came with."""
    taken: frozenset[str] = frozenset()
    """Those of them that nobody typed: the other run's recipe has them."""
    by_colour: bool = False
    """Whether all pictures decide, once they are packed, between grey and colour: so far it is a guess."""
    kept: frozenset[str] = frozenset()
    """Fields that no form for a smaller time changes: weights that it begins with would not fit."""
    run_name: str = ""
    """What the run is called where the user does not say: after the data, and a recipe that was named."""
    cost: Cost[Recipe] | None = None
    """Time and memory, once they are measured."""
    untrained: Untrained | None = None
    """The first measurement, once it is made."""
    pause: int = 0
    """Images between two measurements: the recipe's, or what this machine is fast enough for."""
    said: str = ""
    """What the user is to be told after this step, if anything."""

    def begun_from(self, tensors: Mapping[str, Tensor]) -> Plan:
        """Return the plan for a training that begins from these tensors, by their names."""
        recipe = self.recipe.begun_from(tensors, self.pinned)
        recipe.check()
        sizes = {field for form in recipe.SMALLER for field in form} - {"batch"}
        return replace(self, recipe=recipe, kept=frozenset(sizes))

    def fit(self, dataset: Dataset, budget: Budget, device: torch.device) -> Plan:
        """Return the plan for these pictures, on this device, of the length that the budget gives."""
        from figment.compiling import refuse_uncompilable
        from figment.data.classes import check_classes, check_count
        from figment.training.devices import precision_for

        check_count(dataset)
        recipe = self.recipe
        if recipe.compile:
            refuse_uncompilable(device)
        if self.by_colour:
            recipe = replace(recipe, channels=dataset.shape[0])
        recipe = replace(recipe, precision=precision_for(recipe, device))
        recipe = recipe.settle(dataset, self.pinned)
        recipe.check()
        few = check_classes(self.look, dataset) if recipe.classed else ""
        images = budget.over(len(dataset)).images
        if images is not None:
            recipe = replace(recipe, images=images)
            recipe.check()
        return replace(self, recipe=recipe, said=few)

    def measure(self, dataset: Dataset, device: torch.device, deadline: float | None) -> Plan:
        """Return the plan with its cost measured, in the form that is done by the deadline if there is one.

        ``deadline`` is on ``time.perf_counter()``'s clock. Without one the length is told: no later step
        changes it.
        """
        from figment.training import cost

        if deadline is None:
            found, end = cost.measure(self.recipe, dataset, device), self.recipe.images
            planned = found.over(found.recipe.at_this_length())
            said = cost.sentence(self.name, planned, dataset, end=end, seconds=None)
        else:
            said = ""
            found = cost.affordable(self.forms(), dataset, device, deadline)
        return replace(self, recipe=found.recipe, cost=found, said=said)

    def forms(self) -> list[Recipe]:
        """Return the forms that a time budget may take, this one first: what the processes can share."""
        forms = self.recipe.cheaper(self.pinned | self.kept)
        return [form for form in forms if form.batch % mesh.size() == 0]

    def settle(
        self,
        dataset: Dataset,
        device: torch.device,
        deadline: float | None,
        *,
        progress: bool = True,
    ) -> Plan:
        """Return the plan with what is measured during training settled, how often, and the first scores.

        The length is told where the deadline decides it, and what follows from it once and for all is
        settled. How often follows from this machine's speed, so it is no part of the recipe: equal commands
        train equal recipes.
        """
        from figment.training import affording, cost, session
        from figment.training.monitor import SHARE, features_for, measure_untrained, pause_for

        assert self.cost is not None
        recipe = replace(self.recipe, features=features_for(self.recipe))
        few = ""
        if deadline is not None:
            left = deadline - time.perf_counter()
            recipe, few = affording.within(recipe, dataset, device, left, self.pinned)
        first = measure_untrained(recipe, dataset, device, progress=progress)
        left = None
        if deadline is not None:
            finishing = 1.5 * first.seconds + session.REPORT_SECONDS
            left = (1 - SHARE) * (deadline - time.perf_counter() - finishing)
            recipe = lasting(recipe, left, self.cost.images_per_second)
        recipe = recipe.at_this_length()
        if left is not None:  # stages that the user has set may end before it, or after
            recipe = lasting(recipe, left, self.cost.pace(recipe).speed(left))
        planned = self.cost.over(recipe)
        said = ""
        if left is not None:
            said = cost.sentence(self.name, planned, dataset, end=None, seconds=left)
            if few and planned.rounds(left) >= 1:  # no time, nothing to spare of it
                said += f"\n{few}"
        pause = pause_for(recipe, first.seconds, planned.images_per_second)
        return replace(self, recipe=recipe, cost=planned, pause=pause, untrained=first, said=said)


def choose(
    data: str,
    recipe: str | Recipe | None,
    fields: dict[str, Any],
    *,
    trust: bool = False,
    like: tuple[str, Recipe] | None = None,
) -> Plan:
    """Return the plan as far as a glance at the data decides it.

    ``like`` are name and recipe of a run, which it is to have where no other is named, but for its length
    and what the data decide. Raises UserError for a recipe or fields that cannot work, before anything is
    packed or written.
    """
    from figment.data import look
    from figment.data.names import file_names
    from figment.judging.measures import check_measuring

    given = named(recipe, trust=trust) if recipe is not None else None
    same = frozenset[str]()
    if given is None and like is not None:
        given, same = _like(*like)
    folders = fields.get("folders", given[1].folders if given else "auto")
    seen = look(data, folders)
    name, chosen = given or find(suited(seen, fields))
    written = isinstance(recipe, str) and recipe.endswith(".json")  # it says all there is to say
    pinned = frozenset(fields_of(chosen) if written else fields) | same
    chosen = with_fields(chosen, fields)
    if "conditioning" in same - fields.keys():
        _refuse_no_classes(chosen, seen)
    if same:  # what does nothing beside the fields that were typed was not asked for
        chosen = chosen.without_idle(frozenset(fields))
    by_colour = seen.kind == "images" and chosen.channels == 3 and "channels" not in pinned
    chosen = chosen.fit_to(seen, pinned)
    chosen.check()
    check_measuring(chosen.metrics, chosen.features)
    mesh.check_batch(chosen.batch, chosen.together)
    (called,) = file_names(
        [seen.name if recipe is None else f"{seen.name}-{name}".replace(":", "-")]
    )
    return Plan(name, chosen, seen, pinned, same - fields.keys(), by_colour, run_name=called)


def _refuse_no_classes(recipe: Recipe, look: Look) -> None:
    """Raise UserError where the run whose recipe is taken is conditional, and the data have no classes."""
    if getattr(recipe, "conditional", False) and len(look.classes) < 2:
        raise UserError(
            f"the other run is conditional, and {look.name} has no classes: give each a folder, or train "
            "without them: --conditioning none"
        )


def _like(name: str, recipe: Recipe) -> tuple[tuple[str, Recipe], frozenset[str]]:
    """Return name and recipe of another run for other data, and the fields that have to stay its own."""
    first = fields_of(find(name)[1])
    # other sizes and colours would be other layers, which its weights do not fit
    free = {*recipe.BY_LENGTH, *recipe.BY_DATA} - {"resolution", "channels"}
    new = {field: value for field, value in first.items() if field in free}
    return (name, with_fields(recipe, new)), frozenset(fields_of(recipe)) - free


def named(recipe: str | Recipe, *, trust: bool = False) -> tuple[str, Recipe]:
    """Return name and recipe. Raises UserError where a resume or a sample could not find it again."""
    if isinstance(recipe, str):
        return find(recipe, trust=trust)
    if not isinstance(recipe, Recipe):
        raise UserError(f"a recipe is a name, such as dcgan, or a Recipe, not {recipe!r:.60}")
    return own.name_of(recipe), recipe


def lasting(recipe: Recipe, seconds: float, speed: float, before: int = 0) -> Recipe:
    """Return the recipe with the length that a time budget will come to, for what follows its course.

    Rates that fall, noise that fades: they have to know the end before it is there.
    """
    more = float(mesh.first(max(0.0, seconds) * speed))  # ty: ignore[invalid-argument-type]
    longest = LONGEST["images"]  # a speed out of a stranger's machine.json may be any
    return replace(
        recipe, images=min(longest, max(recipe.batch, before + round(min(more, longest))))
    )


def longer(recipe: Recipe, machine: dict[str, Any], seconds: float, now: int) -> Recipe:
    """Return the recipe with the length that so many seconds more will come to, as the plan measured."""
    from figment.training.pace import pace_of

    if each := machine.get("seconds_per_image"):
        speed = pace_of(recipe.stages(), each).speed(seconds, now)
    else:  # a run of an earlier version
        speed = (machine.get("estimate") or {}).get("images_per_second") or 0.0
    return lasting(recipe, seconds, speed, before=now)
