// What the server sends for the Train tab: the form, the cost, uploaded pictures, and runs.
// The browser never reads this file.

declare global {
  /** The value of one setting of the form. */
  type Setting = string | number | boolean | null;
  type Settings = Record<string, Setting | undefined>;

  /** What a run learns: "images" or "points". */
  type Kind = string;
  interface DataSet {
    name: string;
    kind: Kind;
    source: string;
    count: number;
    classes: number;
    picture: boolean;
    // Of images only.
    size?: number;
    channels?: number;
    licence?: string;
    credit?: string;
  }
  interface Recipe {
    name: string;
    kind: Kind;
    loss: string;
    penalty: string;
    main: boolean;
    failing: boolean;
    needs_gpu: boolean;
  }
  interface LossFacts {
    formula_d: string;
    formula_g: string;
    equilibrium: [d: number, g: number] | null;
    undecided: number | null;
  }
  interface UploadLimits {
    files: number;
    file: number;
    together: number;
  }
  /** See options() in gan/ui/train/routes.py. */
  interface Catalogue {
    data: DataSet[];
    recipes: Recipe[];
    losses: Record<string, LossFacts>;
    penalties: Record<string, { formula: string }>;
    /** By data set and recipe, in the order of `fields`; null for settings of another kind of run. */
    defaults: Record<string, Record<string, Setting[] | undefined>>;
    fields: string[];
    suffixes: string[];
    points_suffixes: string[];
    points_limits: UploadLimits;
    /** Of a data set of the Hub: pictures, if nobody says otherwise, and at most. */
    hub: { cap: number; most: number };
    limits: UploadLimits;
    /** How many GPUs a run may use; 0 without any. */
    gpus: number;
  }

  /** The budget of the form: minutes, or thousands of images. */
  type Budget = number | { kimg: number };

  /** See gan/ui/train/cost.py. */
  type RunCost = ImagesCost | PointsCost;
  interface PointsCost {
    kind: "points";
    parameters: Players;
    minutes: number;
    /** Its speed is not estimated. */
    rate?: undefined;
  }
  interface ImagesCost {
    kind: "images";
    parameters: Players;
    /** The parameters of each recipe on this data set; missing for a run that has begun. */
    recipes?: Record<string, number>;
    rate: number | null;
    kimg: number;
    minutes: number | null;
    passes: number | null;
    memory: number | null;
    gpu: boolean;
  }
  interface Players {
    G: number;
    D: number;
  }

  /** Machines for jobs on the Hub, in US dollars an hour; who pays; minutes that a job has on top. */
  interface JobsOffer {
    flavors: { name: string; title: string; price: number; gpus: number }[];
    owner: string | null;
    spare: number;
  }

  /** Pictures that were left out for one reason. */
  interface LeftOut {
    reason: string;
    detail?: string;
    count: number;
    names: string[];
  }
  interface PicturesReport {
    count: number;
    copies: number;
    unread: number;
    names_read_as: string | null;
    classes: [name: string, count: number][];
    classes_doubtful: boolean;
    too_many_classes: number;
    loose: number;
    most_classes: number;
    transparent: number;
    grey: boolean;
    side: number;
    left_out: LeftOut[];
  }
  /** Settings by recipe. */
  type Suggestions = Record<string, Settings>;
  /** An uploaded file of points: its name, its place on the server, and how many points it holds. */
  interface PointsFile {
    name: string;
    path: string;
    count: number;
  }
  interface OwnFile {
    name: string;
    size: number;
    /** Where the server has put it. */
    path?: string;
  }
  /** Where pictures of the Hub come from. */
  interface HubSource {
    name: string;
    commit: string;
    licence: string;
    title: string;
    count: number;
  }
  /** A data set of the Hub: what was asked for, and what the server pulled. */
  interface HubSet {
    id: string;
    cap: number;
    set?: string;
    source?: HubSource;
  }
  /** The value of <gan-own>: uploaded files, or a data set of the Hub. */
  interface OwnValue {
    files: OwnFile[];
    hub?: HubSet | null;
    report: PicturesReport | null;
    suggestions: Suggestions | null;
    refused: Refusal | null;
    /** Settings that were last changed beside the pictures; `turn` counts these changes. */
    set: Settings;
    turn: number;
  }

  /** The value of <gan-start>: a model's id, and the settings that decide the shapes of its weights. */
  interface StartValue {
    id: string;
    settings: Settings;
  }

  interface Verdict {
    key: string;
    level: string;
    values: Values;
    /** Whether a second, independent signal agrees. Runs of older versions do not say. */
    sure?: boolean;
  }
  interface RunEvent {
    time: number;
    key: string;
    values: Values;
  }
  interface RunStatus {
    state: string;
    queued_at: number;
    step: number;
    images: number;
    progress: number;
    elapsed: number;
    eta: number | null;
    rate: number | null;
    device: string | null;
    parameters: Players | null;
    verdict: Verdict | null;
    error: Refusal | null;
    /** Why it is paused: "lease" if it waits for its next lease of a GPU. */
    reason: string | null;
    live_step: number | null;
    /** The job that trains it, if it is at work in one. */
    where: { kind: string; id: string; flavor: string; stage: string } | null;
    /** How many modes the data have, for points. */
    modes?: number | null;
    /** Names of its classes, in the order of the tiles; none without conditioning. */
    classes?: string[];
    /** Images that it never trains on. */
    held_out?: number;
  }
  /** What D makes of images and samples: counts in the same bins, and percentiles. See gan/runs/eyes.py. */
  interface Eyes {
    step: number;
    images: number;
    /** The step of the sheet with the tiles. */
    sheet: number;
    low: number;
    high: number;
    trained: number[];
    held_out: number[];
    fakes: number[];
    tiles: (number | null)[];
  }
  interface RunConfig {
    kind: Kind;
    data: string;
    recipe: string;
    loss: string;
    penalty: string;
    gamma: number;
    lr_g: number;
    lr_d: number;
    size?: number;
    /** Of images only: how many of them it trains on; 0 for all. */
    images?: number;
    /** Of images only: the model that it began with, or "". */
    start_from?: string;
    batch: number;
    seed: number;
    minutes: number;
    /** The budget: of these two, the one that is not 0 decides instead of the minutes. */
    kimg?: number;
    steps?: number;
  }
  interface Run {
    id: string;
    name: string | null;
    config: RunConfig | null;
    status: RunStatus;
    samples: number[];
    events: RunEvent[];
    log: string[];
    /** Seconds without a sign of life; null for none missing. */
    silent: number | null;
    /** Whether somebody has pressed Pause, and the worker has not read it yet. */
    pausing: boolean;
    /** Whether it can only restart from nothing. */
    again: boolean;
    /** The scores that it keeps, null without any. */
    scored: Scored | null;
    /** Where its scoring stands: "wait" or "score", null for none; and why the last one failed. */
    scoring: { stage: string | null; error: Refusal | null };
    /** The step up to which it is mirrored, and why no further; null without a mirror. */
    mirror: { step: number | null; error: Refusal | null } | null;
    /** What D makes of its images and samples; null before the first measurement. */
    eyes: Eyes | null;
    /** "shown" where those who control it see the images, which are somebody's own; null for a named set. */
    own_data: "shown" | "hidden" | null;
  }
  /** See find_nearest() in gan/export/tiles.py. */
  interface NearestImages {
    images: number;
    by: string;
    among: number;
    of: number;
    samples: string;
    found: string;
    tiles: [place: number, distance: number][][];
    usual: number | null;
    nearer: number[] | null;
  }
  /** See draw_pairs() in gan/export/tiles.py. */
  interface GamePairs {
    images: number;
    sheet: string;
    real: number[];
    d: number[];
    labels: number[] | null;
  }
  /** The sums of all games on a run. See Totals in gan/ui/train/eyes.py. */
  interface GameSums {
    games: number;
    right: number;
    d: number;
  }
  /** See look() in gan/export/tiles.py. */
  interface SaliencyMap {
    images: number;
    size: number;
    map: number[];
    sample: string;
  }
  /** What a mirror holds, how many runs it can't take, and which of its runs could not be restored. */
  interface MirrorState {
    place: string;
    runs: number;
    error: Refusal | null;
    left_out: number;
    lost: Record<string, Refusal>;
  }
  /** A run in the list. */
  interface RunEntry {
    id: string;
    name: string | null;
    number: number;
    state: string;
    kind: Kind | null;
    recipe: string | null;
    minutes: number | null;
    kimg: number | null;
    data: string | null;
    created: number;
    images: number | null;
    bytes: number | null;
    silent: boolean;
  }
  interface ActiveRun {
    id: string;
    name: string | null;
    number: number;
    data: string;
    state: string;
    eta: number | null;
    silent: boolean;
  }
  /** A line of stats.jsonl. */
  type StatsRow = { step: number; images: number } & Record<string, number | null>;
  /** See gan/ui/train/run_feed.py. */
  interface Poll {
    version: string;
    unchanged?: boolean;
    /** Missing where everybody has control. */
    control?: boolean;
    /** The runs of this visitor; missing where that does not count. */
    mine?: string[];
    /** ms until the next poll. */
    beat: number;
    device: string | null;
    active_run: ActiveRun | null;
    run: Run | null;
    stats: StatsRow[];
    next: number;
    last: string;
    since: number;
    runs?: RunEntry[];
    list: string;
    total: number;
    older: string;
    queue: string[];
    /** Run id -> seconds until it is expected to start. */
    starts: Record<string, number>;
    blocked: Refusal | null;
    /** The seconds of a lease, and the runs that wait for one or use one; null where no GPU is lent. */
    leases: { least: number; usual: number; most: number; runs: string[] } | null;
    storage: { used: number | null; allowed: number };
    /** Where the runs are mirrored, and whether this is a Space, whose disk is lost when it sleeps. */
    kept: { mirror: MirrorState | null; space: boolean };
  }
  /** How a lease of a GPU ended. See lease() in gan/worker/leased.py. */
  interface LeaseEnd {
    state: string;
    reason: string | null;
    step: number;
    progress: number;
    seconds: number;
  }
  interface RunStats {
    id: string | null;
    rows: StatsRow[];
    next: number;
    last: string;
  }
  /** What run-feed.js passes on. */
  interface Feed {
    poll: Poll;
    runs: RunEntry[];
    stats: RunStats;
    offline: boolean;
  }
}

export {};
