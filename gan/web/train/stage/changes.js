// The changes of settings that a run took while it trained, and what takes them back.

import { times } from "../../core/format.js";

/** A setting, and the factor for it. @typedef {[name: "gamma" | "lr_g" | "lr_d", factor: number]} Change */

/**
 * The changes that hold, as gan/train/actions.py reads them from the events of a run.
 * @param {RunEvent[]} events
 * @returns {RunEvent["values"][]}
 */
export function changesIn(events) {
  /** @type {RunEvent["values"][]} */
  let found = [];
  for (const { key, values } of events) {
    if (key === "restarted") found = [];
    if (key === "rolled_back") found = found.filter(({ step }) => Number(step) <= Number(values.step));
    if (key === "adjusted")
      found = [
        ...found.filter(({ name, step }) => name !== values.name || Number(step) <= Number(values.step)),
        values,
      ];
  }
  return found;
}

/**
 * What takes back all changes that a run has taken while it trained.
 * @param {RunEvent[]} events
 * @param {number} step that the run has reached
 * @returns {Change[]}
 */
export function undone(events, step) {
  /** @type {Map<Change[0], number>} */
  const factors = new Map();
  for (const change of changesIn(events)) {
    if (Number(change.step) > step) continue;
    const name = /** @type {Change[0]} */ (change.name);
    factors.set(name, (factors.get(name) ?? 1) * Number(change.factor));
  }
  return [...factors].filter(([, factor]) => factor !== 1).map(([name, factor]) => [name, 1 / factor]);
}

/**
 * The value of a setting after the changes that hold, without its schedule.
 * @param {{events: RunEvent[]}} run
 * @param {RunConfig} config
 * @param {Change[0]} name
 */
export function inForce({ events }, config, name) {
  const all = changesIn(events).filter((change) => change.name === name);
  return times(
    config[name],
    all.reduce((product, { factor }) => product * Number(factor), 1),
  );
}

/** When the newest change was noted, a unix time; 0 without any. @param {RunEvent[]} events */
export const changedAt = (events) => events.findLast(({ key }) => key === "adjusted")?.time ?? 0;
