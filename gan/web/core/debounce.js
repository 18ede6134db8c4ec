// Calls that wait: for the call before them, or for a pause.

/**
 * A function that runs `work(value)`, one call at a time. Of the values that arrive meanwhile, the newest
 * runs next.
 * @template [Value=void]
 * @param {(value: Value) => unknown} work
 */
export function latest(work) {
  let busy = false;
  /** @type {?{value: Value}} */
  let waiting = null;
  const start = async (/** @type {Value} */ value) => {
    busy = true;
    try {
      await work(value);
    } finally {
      busy = false;
      if (waiting) {
        const next = waiting.value;
        waiting = null;
        start(next);
      }
    }
  };
  return (/** @type {Value} */ value) => {
    if (busy) waiting = { value };
    else start(value);
  };
}

/**
 * A function that runs `work` once, `ms` after its last call. `cancel()` drops a pending run.
 * @template {unknown[]} Values
 * @param {(...values: Values) => unknown} work
 * @param {number} ms
 */
export function later(work, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const call = (/** @type {Values} */ ...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), ms);
  };
  call.cancel = () => clearTimeout(timer);
  return call;
}
