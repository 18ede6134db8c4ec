// What tsc cannot see in the modules: globals, our own elements and events. The browser never reads this file.
import type * as events from "./core/events.js";

declare global {
  /** uPlot's script sets this; only what widgets/plot.js uses. */
  interface UPlot {
    cursor: { idx: number | null };
    setData(data: number[][]): void;
    setSize(size: { width: number; height: number }): void;
    redraw(rebuild: boolean): void;
  }

  interface Window {
    /** shell/early.js sets this before any module runs. */
    ganEarly?: { lang: string; applyTheme(): void };
    /** An exported web page brings its texts along. */
    ganTexts?: Record<string, string>;
    /** Gradio's events call these three by name (gan/ui/train.py). */
    ganSubmit(...form: any[]): Promise<void>;
    ganDefaults(...form: any[]): Promise<any[]>;
    ganForm(): Promise<any[] | null>;
    uPlot: new (options: object, data: number[][], parent: HTMLElement) => UPlot;
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
    "gan-data": HTMLElement & { value: any };
    "gan-recipe": HTMLElement & { value: any };
    "gan-time": HTMLElement & { value: any };
    "gan-own": HTMLElement & { value: any; settled(): Promise<any> };
    "gan-stage": HTMLElement & { reveal(): void };
  }
}
