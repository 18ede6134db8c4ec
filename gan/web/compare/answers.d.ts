// What the server sends for the Compare tab. The browser never reads this file.

declare global {
  /** See _run() in gan/ui/compare/tab.py. */
  interface RunCurves {
    version: string;
    unchanged?: boolean;
    id: string;
    name: string | null;
    number: number;
    config: (RunConfig & Record<string, unknown>) | null;
    /** The same number for the same data. Two uploads may have one name. */
    data_id: number;
    silent: number | null;
    samples: number[];
    state: string;
    step: number;
    images: number;
    elapsed: number;
    modes: number | null;
    /** What was changed while it trained. */
    changes: { step: number; name: string; factor: number }[];
    /** Part of the addresses of grids. */
    drawn: [number, number];
    axes: { step: number[]; images: number[]; seconds: number[] };
    values: Record<string, (number | null)[]>;
    /** null where each row has a point of its own. */
    means: Record<string, (number | null)[]> | null;
  }
}

export {};
