// A random walk where N(0, I) has its mass: kinetic Brownian motion on the sphere (Angst, Bailleul and Tardif
// 2015). It follows great circles, as slerp does, while its direction drifts at random. So it has no corners
// and reaches every place.
import { written16 } from "./encoding.js";
import { fresh } from "./point.js";
import { pointZ } from "./sampling.js";

const STRAIGHT = 1; // radians after which 1/e of the direction is left
const HOME = 2; // radians after which 1/e of the excess length is left

/** @param {number[]} vector */
const norm = (vector) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
/**
 * @param {number[]} vector
 * @param {number} by
 */
const scaled = (vector, by) => vector.map((value) => value * by);
/**
 * @param {number} p
 * @param {number[]} a
 * @param {number} q
 * @param {number[]} b
 */
const combined = (p, a, q, b) => a.map((value, index) => p * value + q * b[index]);

/** A random number from N(0, 1) (Box and Muller 1958). */
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

/**
 * A random unit vector at right angles to a unit vector.
 * @param {number[]} unit
 */
function across(unit) {
  const drawn = unit.map(normal);
  const sideways = combined(
    1,
    drawn,
    -drawn.reduce((sum, value, index) => sum + value * unit[index], 0),
    unit,
  );
  return scaled(sideways, 1 / norm(sideways));
}

/** A walk that stands at `z`; `further(angle)` moves it by `angle` radians. */
export class RandomWalk {
  /** @param {ArrayLike<number>} z */
  constructor(z) {
    const length = norm(Array.from(z));
    const start = length > 0 ? Array.from(z) : Array.from(z, normal);
    this.unit = scaled(start, 1 / norm(start));
    this.heading = across(this.unit);
    this.length = length;
  }

  get z() {
    return scaled(this.unit, this.length);
  }

  /** @param {number} angle */
  further(angle) {
    const { unit, heading } = this;
    this.unit = combined(Math.cos(angle), unit, Math.sin(angle), heading);
    const ahead = combined(-Math.sin(angle), unit, Math.cos(angle), heading);
    const kept = Math.exp(-angle / STRAIGHT);
    const turned = combined(kept, ahead, Math.sqrt(1 - kept * kept), across(this.unit));
    const level = combined(
      1,
      turned,
      -turned.reduce((sum, value, index) => sum + value * this.unit[index], 0),
      this.unit,
    );
    this.heading = scaled(level, 1 / norm(level));
    this.unit = scaled(this.unit, 1 / norm(this.unit));
    this.length += (Math.sqrt(unit.length) - this.length) * (1 - Math.exp(-angle / HOME));
  }
}

/**
 * A step function for a player. It walks the explorer's point on, at `speed()` radians a second; sliders keep
 * their values.
 * @param {{model: Pick<Model, "z_dim"> | undefined, point: Point}} explorer
 * @param {() => number} speed
 */
export function wandering(explorer, speed) {
  /** @type {?RandomWalk} */
  let walk = null;
  /** @type {?string} */
  let at = null;
  return (/** @type {number} */ seconds) => {
    const { model, point } = explorer;
    if (!model) return undefined;
    if (!walk || point.at !== at || point.t > 0) {
      const { seed, to, t } = point;
      walk = new RandomWalk(pointZ({ ...fresh(), seed, at: point.at, to, t }, model.z_dim, []));
    }
    walk.further(speed() * seconds);
    at = written16(walk.z);
    return { at, t: 0 };
  };
}
