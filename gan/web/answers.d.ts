// What the server sends and the modules share: errors, answers of routes, and the point. train/answers.d.ts
// has the answers for the Train tab. The browser never reads this file.

declare global {
  type Values = Record<string, unknown>;

  /** What a failed request throws, and what `sentence` turns into text. */
  interface Refusal {
    key?: string;
    values?: Values;
    /** The sentence where no text has the key. */
    text?: string;
    /** No server answered, or it is overloaded. */
    offline?: boolean;
    /** The key of one of the page's own texts. */
    say?: string;
    /** That of an Error, for example "AbortError". */
    name?: string;
    message?: string;
  }

  /** See latent/point.js. */
  type DirectionList = "attributes" | "principal" | "factors" | "chosen";
  interface Point {
    model: string | null;
    seed: number;
    /** A z of its own as text, which replaces that of the seed. */
    at: string | null;
    psi: number;
    label: number | null;
    label2: number | null;
    mix: number;
    d: number[];
    x: Record<string, number>;
    z: Record<string, number>;
    to: number;
    t: number;
    u: Record<string, number>;
    wall: number;
    axes: string[] | null;
    view: string;
    /** The list that the view of directions shows; null for the one that it opens with. */
    family: DirectionList | null;
  }
  type Patch = Partial<Point>;
  /** Parameters of a route; null and undefined are left out. */
  type Query = Record<string, string | number | boolean | null | undefined>;

  interface ClassMix {
    label: number | null;
    other: number | null;
    share: number;
  }
  interface KeyFrame extends ClassMix {
    at: string;
    u: Record<string, number>;
  }

  interface Direction {
    id: string;
    /** Missing until the server has measured it. */
    effect?: number;
    dead?: boolean;
    twin?: string | null;
    /** The name of an attribute that only the data name. */
    title?: string;
    // Facts about an attribute.
    share?: number | null;
    low?: number;
    high?: number;
    moved?: number;
    steady?: number;
    others?: [id: string, amount: number][];
  }
  interface FoundDirection extends Direction {
    vector: Float32Array;
  }
  interface SliderList {
    list: string[] | null;
    names: Record<string, string>;
    hidden: string[];
  }

  interface Scored {
    net: string;
    title: string;
    against: string;
    pictures: number;
    scores: Record<string, number>;
  }
  /** An entry of GET models; GET model adds the facts of OpenModel. */
  interface Model {
    id: string;
    title: string;
    kind: "shipped" | "run" | "hub";
    live: boolean;
    preview: string | null;
    size: number;
    channels: number;
    z_dim: number;
    classes: string[];
    clusters: number;
    /** Settings that decide the shapes of its weights. */
    shape: Record<string, string | number>;
    updated: string;
    scored: Scored | null;
    unreadable?: boolean;
    name?: string | null;
    /** Among the runs of its data set; 0 for none. */
    number?: number;
    data?: string | null;
    recipe?: string | null;
    minutes?: number | null;
    kimg?: number | null;
    state?: string;
    created?: number;
    directions?: Direction[];
    directions_version?: string;
    version?: string;
    saved?: SliderList | null;
  }
  interface OpenModel extends Model {
    directions: Direction[];
    directions_version: string;
    version: string;
  }

  interface Family {
    directions: Direction[];
    /** Base64 of little-endian float32. */
    vectors: string;
    fixed: string[];
    titles: Record<string, string>;
  }

  interface Moment {
    step: number;
    images: number;
  }

  interface JobState {
    state: string;
    /** Jobs that come first, while it waits. */
    ahead?: number;
  }
  interface DragState extends JobState {
    step: number;
    of: number;
    points: [x: number, y: number][];
    /** Pixels from each point to its goal: now, and at the start. */
    away: number[];
    from: number[];
    lost: boolean[];
    at: string;
    psi: number;
    label: number | null;
  }
  interface FindState extends JobState {
    /** Of the samples, while state is "looking". */
    samples: number;
    step: number;
    of: number;
    distance: number;
    nearest: number;
    spacing: number;
    seen: number;
    likeness: number;
    at: string;
    label: number | null;
  }

  /** The JSON of GET map. x and y are whole numbers from 0 to 9999. */
  interface MapFacts {
    samples: number;
    of: number;
    by: string;
    methods: string[];
    side: number;
    labels: number[] | null;
    x: number[];
    y: number[];
  }

  /** The JSON of GET inside. */
  interface LayerFacts {
    layers: { units: number; side: number }[];
    layer: number;
    side: number;
    units: UnitFacts[];
  }
  /** The JSON of the routes that `packed` asks. */
  interface PackedFacts {
    map: MapFacts;
    inside: LayerFacts;
  }
  interface UnitFacts {
    unit: number;
    activity: number;
    effect: number;
  }

  /** What GET push says of a push that has not begun. */
  interface PushPlan {
    /** Who has signed in. */
    name: string | null;
    /** Why this browser can't push. */
    why: Refusal | null;
    /** Whether it could after a sign-in. */
    sign_in: boolean;
    /** The repository: the suggested one, or as asked. */
    to: string;
    /** Whether D may go along. */
    with_d: boolean;
    /** Of the images. */
    licence: string | null;
    /** Titles of the licences to choose from, by their identifiers. */
    licences: Record<string, string>;
    files: string[];
    /** Whether the scores are known before the push. */
    scored: boolean;
    card: string;
    now: PushNow | null;
  }

  /** A push of whoever asks: it goes on, or has just ended. */
  interface PushNow {
    job: string;
    /** Of the model. */
    id: string;
    to: string;
    private: boolean;
    with_d: boolean;
    licence: string | null;
  }

  interface Access {
    needed: boolean;
    /** Of all runs. */
    control: boolean;
    /** The address of a Space. */
    address?: string | null;
    /** On a Space without a token, where visitors control their own runs. */
    visitor?: {
      /** That a run may last. */
      minutes: number;
      /** Whether the owner can sign in. */
      sign_in: boolean;
      /** Who has signed in. */
      name: string | null;
    };
  }

  // The answer of each route that `request` asks.

  interface Answers {
    access: Access;
    "access/leave": Access;
    attributes: Family;
    catalogue: Catalogue;
    cost: RunCost;
    jobs: JobsOffer;
    "directions/save": { saved: SliderList | null };
    drag: { job: string };
    "drag/on": DragState;
    factors: Family;
    "find/on": FindState;
    latent: { z: number[] };
    model: OpenModel;
    models: Model[];
    pictures: { report?: PicturesReport; suggestions?: Suggestions; offline?: boolean };
    "pictures/pull": {
      set?: string;
      source?: HubSource;
      report?: PicturesReport;
      suggestions?: Suggestions;
      offline?: boolean;
    };
    played: GameSums;
    points: { count: number };
    pull: { id: string };
    push: PushPlan;
    "push/now": { now: PushNow | null };
    "push/begin": { job: string };
    "push/on": { stage: "wait" | "score" | "upload" | "done"; address: string };
    poll: Poll;
    runs: { run: string };
    "runs/older": { runs: RunEntry[]; older: string };
    "runs/arrive": { run: string };
    times: Moment[];
  }
  type Answer<Path extends string> = Path extends keyof Answers
    ? Answers[Path]
    : Path extends `runs/${string}/lease`
      ? LeaseEnd
      : Path extends `runs/${string}/log`
        ? { lines: string[] }
        : Path extends `runs/${string}/rename`
          ? { name: string | null }
          : Path extends `runs/${string}/curves`
            ? RunCurves
            : unknown;
}

export {};
