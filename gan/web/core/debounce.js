// Coalescing: many values may arrive, one call runs at a time, and the newest value always gets its turn.

/** A function that runs `work(value)`, never two at once; values that arrive meanwhile replace each other. It returns nothing. */
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

/** A function that runs `work` once, `ms` after its last call. `cancel()` forgets a pending run. */
export function later(work, ms) {
  let timer;
  const call = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), ms);
  };
  call.cancel = () => clearTimeout(timer);
  return call;
}
