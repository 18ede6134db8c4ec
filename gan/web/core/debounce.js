// Calls that wait: for the one before them, or for a pause.

/** A function that runs `work(value)`, one call at a time. Of the values that arrive meanwhile, the newest runs next. */
export function latest(work) {
  let busy = false;
  let waiting = null;
  const start = async (value) => {
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
  return (value) => {
    if (busy) waiting = { value };
    else start(value);
  };
}

/** A function that runs `work` once, `ms` after its last call. `cancel()` drops a pending run. */
export function later(work, ms) {
  let timer;
  const call = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), ms);
  };
  call.cancel = () => clearTimeout(timer);
  return call;
}
