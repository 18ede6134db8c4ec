// A random walk that never leaves where N(0, I) has its mass: kinetic Brownian motion on the sphere (Angst, Bailleul and Tardif 2015). It goes along great
// circles, as slerp does, and its direction turns by and by at random, so that it has no corners and comes everywhere in the end.
import { written16 } from "./encoding.js";
import { fresh } from "./point.js";
import { pointZ } from "./sampling.js";

const STRAIGHT = 1; // radians after which the direction has been forgotten to 1/e
const HOME = 2; // radians after which the length has come as near to that of N(0, I)

const norm = (vector) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
const scaled = (vector, by) => vector.map((value) => value * by);
const combined = (p, a, q, b) => a.map((value, index) => p * value + q * b[index]);

/** A random number from N(0, 1) (Box and Muller 1958). */
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

/** A random unit vector at right angles to a unit vector. */
function across(unit) {
  const drawn = unit.map(normal);
  const sideways = combined(1, drawn, -drawn.reduce((sum, value, index) => sum + value * unit[index], 0), unit);
  return scaled(sideways, 1 / norm(sideways));
}

/** One place of the walk: a z, and `further(angle)`, which moves it on by so many radians. */
export class RandomWalk {
  constructor(z) {
    const length = norm(Array.from(z));
    const start = length > 0 ? Array.from(z) : Array.from(z, normal);
    this.unit = scaled(start, 1 / norm(start));
    this.way = across(this.unit);
    this.length = length;
  }

  get z() {
    return scaled(this.unit, this.length);
  }

  further(angle) {
    const { unit, way } = this;
    this.unit = combined(Math.cos(angle), unit, Math.sin(angle), way);
    const ahead = combined(-Math.sin(angle), unit, Math.cos(angle), way);
    const kept = Math.exp(-angle / STRAIGHT);
    const turned = combined(kept, ahead, Math.sqrt(1 - kept * kept), across(this.unit));
    const level = combined(1, turned, -turned.reduce((sum, value, index) => sum + value * this.unit[index], 0), this.unit);
    this.way = scaled(level, 1 / norm(level));
    this.unit = scaled(this.unit, 1 / norm(this.unit));
    this.length += (Math.sqrt(unit.length) - this.length) * (1 - Math.exp(-angle / HOME));
  }
}

/** A step function for a player: the explorer's point walks on from wherever it stands, with all its sliders, at `speed()` radians a second. */
export function wandering(explorer, speed) {
  let [wander, at] = [null, null];
  return (seconds) => {
    const { model, point } = explorer;
    if (!wander || point.at !== at || point.t > 0) {
      const { seed, to, t } = point;
      wander = new RandomWalk(pointZ({ ...fresh(), seed, at: point.at, to, t }, model.z_dim, []));
    }
    wander.further(speed() * seconds);
    at = written16(wander.z);
    return { at, t: 0 };
  };
}
