// A mosaic whose pictures come from the server or this browser: asked for again when something changed, but only while it is on the screen, one sheet after another.
let line = Promise.resolve(); // all sheets wait for each other, so that the large picture never waits for more than one of them

/**
 * Keeps `mosaic` showing `points()`, which the server draws at `path` for `query()`; `draw(path, query, points, columns)` gets them as one picture.
 * `refresh()` asks again; `query()` may return null for "nothing to show".
 */
export class Sheet {
  constructor({ mosaic, path, query, points, draw, failed }) {
    Object.assign(this, { mosaic, path, query, points, draw, failed, stale: false, visible: false, waiting: false, bitmap: null, drawn: "" });
    new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      if (this.visible && this.stale) this.refresh();
    }, { rootMargin: "200px" }).observe(mosaic.element);
  }

  refresh() {
    this.stale = true;
    if (!this.visible || this.waiting) return;
    this.waiting = true;
    line = line.then(() => this.#load());
  }

  /** Another model: nothing is shown until its own sheet is here. */
  clear() {
    Object.assign(this, { bitmap: null, drawn: "" });
    this.mosaic.draw(null);
    this.mosaic.lock(true);
  }

  /** Show a picture that is at hand until the right one arrives. */
  standIn(bitmap, pickable) {
    if (this.drawn) return;
    this.mosaic.draw(bitmap);
    this.mosaic.lock(!pickable);
  }

  async #load() {
    this.waiting = false;
    this.stale = false;
    const query = this.query();
    const wanted = JSON.stringify(query);
    if (!query || wanted === this.drawn) return;
    try {
      const bitmap = await this.draw(this.path, query, this.points(), this.mosaic.columns);
      if (query.id !== this.query()?.id) return;
      Object.assign(this, { bitmap, drawn: wanted });
      this.mosaic.draw(bitmap);
      this.mosaic.lock(false);
      this.refresh(); // where something changed meanwhile
    } catch (error) {
      if (error.offline) this.stale = true;
      else if (JSON.stringify(this.query()) !== wanted) return void this.refresh(); // the visitor has moved on, and what was wrong with it
      this.failed(error, query.id);
    }
  }
}
