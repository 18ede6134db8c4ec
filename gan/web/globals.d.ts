// What tsc cannot see in the modules: globals, our own elements and events. The browser never reads this
// file.
import type * as events from "./core/events.js";

declare global {
  // Arguments of `h` in core/dom.js.
  type Handlers = {
    [Name in keyof HTMLElementEventMap as `on${Name}`]?: (event: HTMLElementEventMap[Name]) => unknown;
  };
  type Attributes = Handlers & Record<string, unknown>;
  type Child = Node | string | null | undefined | false;

  type Lang = "en" | "zh";

  // Details of events that several modules name.
  type FormDetail = events.FormDetail;
  type AnswerDetail = events.AnswerDetail;

  type Drawable = ImageBitmap | HTMLCanvasElement;
  /** Pixels of this browser, or the server's bitmap. */
  type Picture = { pixels: ImageData; bitmap?: undefined } | { pixels?: undefined; bitmap: ImageBitmap };
  /** x and y; what they count says each variable. */
  type Place = [x: number, y: number];

  // What panels and sheets get from the explorer, or from the exported page.
  type PictureQuery = Query & { id: string | null };
  type DrawSheet = (path: string, query: PictureQuery, points: Point[], columns: number) => Promise<Drawable>;
  interface SheetHost {
    point(): Point;
    version(): string | undefined;
    change(patch: Patch, dragging?: boolean): void;
    draw: DrawSheet;
    failed(error: Refusal, id: string | null): void;
  }
  interface PanelHost extends SheetHost {
    axes: Axes;
    chosen: SliderSet;
  }

  // Classes by the names that other modules' comments use.
  type Explorer = import("./explore/explorer.js").GanExplorer;
  type Axes = import("./explore/axes.js").Axes;
  type Families = import("./explore/families.js").Families;
  type SliderSet = import("./explore/slider-set.js").SliderSet;

  /** The part of a chart on which both agree: numbers, and null for gaps. */
  type Series = (number | null)[];
  /** uPlot's script defines this; only what widgets/plot.js uses. */
  interface UPlot {
    cursor: { idx: number | null; left: number };
    over: HTMLElement;
    select: { left: number; width: number };
    ctx: CanvasRenderingContext2D;
    bbox: { left: number; top: number; width: number; height: number };
    posToVal(pixels: number, scale: string): number;
    valToPos(value: number, scale: string, canvasPixels: boolean): number;
    setSelect(box: { left: number; top: number; width: number; height: number }, fire: boolean): void;
    setData(data: Series[]): void;
    destroy(): void;
    setSize(size: { width: number; height: number }): void;
    redraw(rebuild: boolean): void;
  }

  interface Window {
    /** shell/early.js sets this before any module runs. */
    ganEarly?: { lang: Lang; applyTheme(choice?: string): void };
    /** An exported web page brings its texts along. */
    ganTexts?: Record<string, string>;
    /** Gradio's events call these three by name (gan/ui/train.py). */
    ganSubmit(...form: events.FormDetail): Promise<void>;
    ganDefaults(
      data: string,
      recipe: string,
      own: OwnValue | null,
      start: StartValue,
      points: PointsFile | null,
      ...current: Setting[]
    ): Promise<unknown[]>;
    ganForm(): Promise<unknown[] | null>;
    uPlot: new (options: object, data: Series[], parent: HTMLElement) => UPlot;
  }
  var ganEarly: Window["ganEarly"];
  var ganTexts: Window["ganTexts"];

  /** Chromium alone has it. */
  interface Navigator {
    connection?: { saveData?: boolean };
  }

  interface WindowEventMap {
    "gan:locked": CustomEvent<null>;
    "gan:theme": CustomEvent<null>;
    "gan:explore": CustomEvent<events.ExploreDetail>;
    "gan:form": CustomEvent<events.FormDetail>;
    "gan:kind": CustomEvent<events.KindDetail>;
    "gan:submit": CustomEvent<null>;
    "gan:answer": CustomEvent<events.AnswerDetail>;
  }

  interface HTMLElementEventMap {
    "gan:drawn": CustomEvent<events.DrawnDetail>;
    "gan:playing": CustomEvent<null>;
    "gan:chosen": CustomEvent<null>;
    "gan:favourites": CustomEvent<null>;
    "gan:raw": CustomEvent<null>;
    offer: CustomEvent<events.OfferDetail>;
    choose: CustomEvent<events.ChooseDetail>;
  }

  interface HTMLElementTagNameMap {
    "gan-data": HTMLElement & { value: string | null };
    "gan-recipe": HTMLElement & { value: string | null; tell(parameters: Record<string, number>): void };
    "gan-time": HTMLElement & { value: string | number | null; budget: Budget | null };
    "gan-start": HTMLElement & { value: StartValue };
    "gan-own": HTMLElement & { value: OwnValue; settled(): Promise<OwnValue> };
    "gan-points": HTMLElement & { value: PointsFile | null; settled(): Promise<PointsFile | null> };
    "gan-where": HTMLElement & { flavor: string };
    "gan-stage": HTMLElement & { reveal(): void };
    "gan-watching": HTMLElement;
  }
}
