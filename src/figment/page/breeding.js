// Children of two pictures: each is told from its siblings and from both of its parents.

import { between } from "./lineage.js";
import { anySeed } from "./show.js";

const MUTATION = 0.15; // how far a child lies to the side, towards a picture of its own

/**
 * Returns so many children of pairs of these pictures, pairs by chance.
 * @param {import("./model.js").Model} model
 * @param {import("./address.js").Picture[]} parents two or more
 * @param {number} count
 * @returns {import("./address.js").Picture[]}
 */
export function childrenOf(model, parents, count) {
  return Array.from({ length: count }, (_, number) => {
    const one = Math.floor(Math.random() * parents.length);
    const step = 1 + Math.floor(Math.random() * (parents.length - 1));
    return childOf(model, parents[one], parents[(one + step) % parents.length], number);
  });
}

/**
 * Returns a child. Its latent has each number of one parent or of the other, by a coin of its own: points
 * between both lie on one line, and neighbours on it look alike. With styles every second child takes the
 * coarse layers of such a latent and the fine ones of a parent.
 */
function childOf(model, mother, father, number) {
  const [first, second] = [mother, father].map((parent) => model.lineageOf(parent));
  const cross = { mother: first, father: second, coin: anySeed() };
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
