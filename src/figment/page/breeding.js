// Children of two pictures: each is told from its siblings and from both of its parents.

import { between, crossed } from "./lineage.js";
import { anySeed } from "./show.js";

const MUTATION = 0.15; // how far a child lies to the side, towards a picture of its own
const APART = 0.6; // of its parents' distance; two crossings of many numbers have about 0.7 by chance
const TRIES = 64; // of few numbers two crossings may be nearly the same

/**
 * Returns so many children of pairs of these pictures, pairs by chance.
 * @param {import("./model.js").Model} model
 * @param {import("./address.js").Picture[]} parents two or more
 * @param {number} count
 * @returns {import("./address.js").Picture[]}
 */
export function childrenOf(model, parents, count) {
  const latents = parents.map((parent) => model.latentOf(model.lineageOf(parent), parent));
  const family = [...latents];
  return Array.from({ length: count }, (_, number) => {
    const one = Math.floor(Math.random() * parents.length);
    const step = 1 + Math.floor(Math.random() * (parents.length - 1));
    const other = (one + step) % parents.length;
    const { coin, latent } = coinFor(model, latents[one], latents[other], family);
    family.push(latent);
    return childOf(model, parents[one], parents[other], coin, number);
  });
}

/** Returns a coin by which two latents' crossing is unlike the family so far, and that crossing. */
function coinFor(model, mother, father, family) {
  const enough = APART * distance(mother, father);
  let best = { apart: -1 };
  for (let attempt = 0; attempt < TRIES && best.apart < enough; attempt++) {
    const coin = anySeed();
    const latent = crossed(mother, father, model.latentOf({ seed: coin }, { truncation: null }));
    const apart = Math.min(...family.map((relative) => distance(latent, relative)));
    if (apart > best.apart) best = { coin, latent, apart };
  }
  return best;
}

function distance(a, b) {
  return Math.hypot(...a.map((value, index) => value - b[index]));
}

/**
 * Returns a child. Its latent has each number of one parent or of the other, by a coin of its own:
 * points between both lie on one line, and neighbours on it look alike. With styles every second
 * child takes the coarse layers of such a latent and the fine ones of a parent.
 */
function childOf(model, mother, father, coin, number) {
  const cross = { mother: model.lineageOf(mother), father: model.lineageOf(father), coin };
  const like = Math.random() < 0.5 ? mother : father;
  const fine = {
    lineage: like.style?.lineage ?? model.lineageOf(like),
    layer: 1 + Math.floor(Math.random() * (model.layers - 1)),
  };
  return {
    ...mother,
    class: model.classes.length ? model.classOf(like) : null,
    lineage: between(cross, { seed: anySeed() }, MUTATION),
    sliders: mother.sliders.map(() => 0),
    style: model.layers > 1 && number % 2 === 1 ? fine : like.style,
  };
}
