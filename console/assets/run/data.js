// Owns the data of a run: its steps page by page, the branches of its forks, and its sub-flows.
// Open parts are read again; ended parts are not.
import { get, isRefused, isTemporary } from "../api.js";
import { limits } from "../config.js";
import { eachOf } from "../each.js";
import { now, parseTime } from "../format.js";
import { isOpen, statusOf } from "../ui/status.js";
import { parseExact, plainNumber } from "./exact.js";

// The first page is small, so that the first steps appear quickly.
const FIRST_PAGE = 100;

/** Pages omit larger payloads; they are loaded when their step is shown. */
const MAX_PAYLOAD_BYTES = 16 * 1024;
const CONCURRENCY = 4;
/** The payloads of the run itself that its page shows. */
export const RUN_PAYLOADS = ["input", "output", "executionData", "resolvedFinalContextData"];

/**
 * @typedef {{stepInstanceId: string, stepId: ?string, stepName: ?string, stepType: ?string,
 *   sequenceNumber: ?number, status: string, startTime: ?string, endTime: ?string, durationMs: ?number,
 *   retryCount: ?number, input: any, output: any, executionData: any, omittedPayloads?: Object<string, ?number>,
 *   errorMessage: ?string, subflowExecutionId: ?string, hasBranches: boolean, begin: ?number, end: ?number}} Step
 *   `hasBranches`: whether steps of branches, or nested steps in lanes, are below it; `begin` and `end` are times in milliseconds; `end` is null while it is unknown
 * @typedef {{id: string, branchId: ?string, fork: Step, byId: Map<string, Step>, steps: Step[]}} Branch
 * @typedef {{branches: Map<string, Branch>, branchOf: Map<string, Branch>, state: "loading"|"ready"|"failed",
 *   error: ?Error, settled: boolean, asked: boolean}} Fork
 *   `branchOf`: the branch or lane of each step; `asked`: whether everything was requested, not only failed steps
 */

/** @param {Step} step */
export const isFork = (step) => step.hasBranches;

/**
 * The run's details from the API, with every digit. Secrets stay hidden unless they are requested,
 * even for callers who may see them: the audit records each view.
 */
export function ask(runId, rest, query, signal, reveal, options = {}) {
  const path = `flow-executions/${encodeURIComponent(runId)}${rest}`;
  return get(path, { query: { ...query, reveal: String(reveal) }, signal, retries: 0, parse: parseExact, ...options });
}

/** @returns {Step} */
function stepOf(raw) {
  const begin = parseTime(raw.startTime);
  const durationMs = plainNumber(raw.durationMs);
  const end = parseTime(raw.endTime) ?? (begin !== null && durationMs !== null ? begin + durationMs : null);
  return { ...raw, status: statusOf(raw.status), durationMs, retryCount: plainNumber(raw.retryCount), begin, end };
}

/**
 * An open step of an ended run ended with the run.
 * @param {Step} step @param {Object} run its run's metadata
 * @returns {Step}
 */
function closedWith(step, run) {
  if (!isOpen(step.status) || isOpen(run.status)) return step;
  return { ...step, status: "CANCELLED", end: step.end ?? parseTime(run.endTime) ?? step.begin };
}

/** Whether a branch is a lane of steps that are nested below a step: `<its id>.1`, `.2`, …. */
function isLane(branchExecutionId, step) {
  const start = `${step.stepInstanceId}.`;
  return branchExecutionId.startsWith(start) && /^\d+$/.test(branchExecutionId.slice(start.length));
}

// Records with the same time, such as steps that were skipped after a failure, are in the order of
// their numbers.
function inOrder(steps) {
  const number = (step) => plainNumber(step.sequenceNumber) ?? Infinity;
  return [...steps].sort((a, b) => (a.begin ?? Infinity) - (b.begin ?? Infinity) || number(a) - number(b) || 0);
}

/**
 * Reads a part, or returns the read that is already in progress. All callers share its result, so
 * that a failure also reaches the poll. Because the read is shared, no caller can abort it.
 * @param {{reading?: ?Promise<void>}} part @param {() => Promise<void>} read
 */
function once(part, read) {
  part.reading ??= read().finally(() => {
    part.reading = null;
  });
  return part.reading;
}

/** One run with its steps. It changes in place, and calls `notify`. */
export class RunStore {
  constructor(id, notify, reveal) {
    this.id = id;
    this.notify = notify;
    this.reveal = reveal;
    this.metadata = null;
    /** @type {Object<string, any>} by the names in RUN_PAYLOADS */
    this.payloads = {};
    /**
     * The sizes of omitted payloads in bytes; null if the size is unknown.
     * @type {Object<string, ?number>}
     */
    this.omitted = {};
    this.warnings = new Set();
    /** @type {Step[]} in chronological order */
    this.steps = [];
    this.byId = new Map();
    /** @type {Map<string, Fork>} by the fork's stepInstanceId */
    this.forks = new Map();
    this.pages = [{ token: null, limit: FIRST_PAGE, settled: false, ids: new Set() }];
    /** Whether all pages have been read. */
    this.complete = false;
    /** Whether everything was requested, not only failed steps. */
    this.asked = false;
    /** Whether the run can no longer change. */
    this.settled = false;
    this.error = null;
  }

  /** Reads new pages and pages that may have changed. @param {AbortSignal} signal */
  async read(signal) {
    if (this.settled) return;
    const whole = this.pages.every((page) => !page.settled);
    let endedFirst = null;
    for (let index = 0; index < this.pages.length; index += 1) {
      if (this.pages[index].settled && index < this.pages.length - 1) continue;
      await this.readPage(index, signal);
      endedFirst ??= !isOpen(this.metadata.status);
    }
    this.complete = true;
    if (!isOpen(this.metadata.status)) {
      // The run may have ended between two pages: everything is read once more.
      if (whole && endedFirst) this.settled = true;
      else for (const page of this.pages) page.settled = false;
    }
    this.notify();
  }

  /** Records that the run was pinned or unpinned: a settled run is not read again. @param {boolean} pinned */
  setPinned(pinned) {
    this.metadata = { ...this.metadata, pinned };
    this.notify();
  }

  async readPage(index, signal) {
    const page = this.pages[index];
    const runPayloads = index === 0 ? RUN_PAYLOADS.join() : null;
    const data = await this.ask({ limit: page.limit, nextToken: page.token, runPayloads }, signal);
    if (index === 0) {
      this.payloads = Object.fromEntries(RUN_PAYLOADS.map((name) => [name, data[name] ?? null]));
      this.omitted = data.omittedPayloads ?? {};
    }
    const steps = this.addSteps(data);
    this.forgetMoved(page, steps);
    page.settled = !steps.some((step) => isOpen(step.status));
    this.follow(index, data.nextToken);
    this.notify();
  }

  /** Removes steps that a page no longer has, because their parent was written after them. */
  forgetMoved(page, steps) {
    const ids = new Set(steps.map((step) => step.stepInstanceId));
    const isElsewhere = (id) => this.pages.some((other) => other !== page && other.ids.has(id));
    const moved = [...page.ids].filter((id) => !ids.has(id) && !isElsewhere(id));
    page.ids = ids;
    if (moved.length === 0) return;
    for (const id of moved) this.byId.delete(id);
    this.steps = inOrder(this.byId.values());
  }

  async ask(query, signal) {
    const { data } = await ask(this.id, "", { ...query, maxPayloadBytes: MAX_PAYLOAD_BYTES }, signal, this.reveal);
    return data;
  }

  /** @returns {Step[]} the steps of a response, after adding them to the run */
  addSteps(data) {
    this.metadata = metadataOf(data.metadata);
    for (const warning of data.warnings ?? []) this.warnings.add(textOf(warning));
    const steps = data.steps.map((raw) => closedWith(stepOf(raw), this.metadata));
    for (const step of steps) this.byId.set(step.stepInstanceId, step);
    this.steps = inOrder(this.byId.values());
    return steps;
  }

  /** Whether failed steps must be requested separately because not all pages have been read. */
  get isPartial() {
    return !this.complete && this.pages.length > 1;
  }

  /**
   * Reads failed steps before the others, unless all steps have been read.
   * @returns {Promise<Step[]>}
   */
  async readFailed() {
    for (let nextToken = null, first = true; !this.complete && (first || nextToken); first = false) {
      const data = await this.ask({ limit: limits().pageSize, nextToken, ...ONLY_FAILED }, null);
      this.addSteps(data);
      nextToken = failedOf(this.steps).length < limits().pageSize ? data.nextToken : null;
      this.notify();
    }
    return failedOf(this.steps);
  }

  /** The same for the branches of a fork. @param {Step} step @returns {Promise<Branch[]>} */
  async readFailedBranches(step) {
    const fork = this.forkOf(step);
    if (fork.state !== "ready") await this.readBranches(step, fork, ONLY_FAILED);
    return [...fork.branches.values()];
  }

  /** @param {Step} step @returns {Fork} */
  forkOf(step) {
    const id = step.stepInstanceId;
    if (!this.forks.has(id)) {
      const read = { branches: new Map(), branchOf: new Map() };
      this.forks.set(id, { ...read, state: "loading", error: null, settled: false, asked: false });
    }
    return this.forks.get(id);
  }

  /**
   * Stores the token of the next page. The end of a page depends on its size in bytes, so it moves
   * while steps are written, and the following pages change.
   */
  follow(index, token) {
    const next = this.pages[index + 1];
    if (next?.token === token) return;
    this.pages.length = index + 1;
    if (token) this.pages.push({ token, limit: limits().pageSize, settled: false, ids: new Set() });
  }

  /**
   * Reads all pages of a fork's branches. Errors are shown in its row; temporary errors are also
   * thrown, for the poll.
   * @param {Step} step
   */
  async readFork(step) {
    const fork = this.forkOf(step);
    if (fork.settled || isRefused(fork.error)) return undefined;
    fork.asked = true;
    return once(fork, () => this.readForkNow(step, fork));
  }

  async readForkNow(step, fork) {
    const ended = !isOpen(step.status);
    try {
      await this.readBranches(step, fork);
      const open = [...fork.branches.values()].some((branch) => branch.steps.some((each) => isOpen(each.status)));
      // A fork waits for its branches. A step can end before the steps that are nested below it.
      const joins = !open && ![...fork.branches.keys()].some((id) => isLane(id, step));
      Object.assign(fork, { state: "ready", error: null, settled: ended && (joins || this.settled) });
    } catch (error) {
      Object.assign(fork, { state: fork.branches.size ? "ready" : "failed", error });
      if (isTemporary(error)) throw error;
    } finally {
      this.notify();
    }
  }

  /** The time of the last observed change, in milliseconds. */
  get changedAt() {
    const times = [this.metadata?.startTime, this.metadata?.createdAt, this.metadata?.heartbeatAt].map(parseTime);
    const branches = [...this.forks.values()].flatMap((fork) => [...fork.branches.values()]);
    for (const { steps } of [this, ...branches]) for (const { begin, end } of steps) times.push(begin, end);
    return times.reduce((latest, time) => Math.max(latest, time ?? 0), 0);
  }

  async readBranches(step, fork, only = {}) {
    for (let nextToken = null; ;) {
      const query = {
        parentStepInstanceId: step.stepInstanceId,
        parentStepStartTime: step.startTime,
        limit: limits().pageSize,
        nextToken,
        maxPayloadBytes: MAX_PAYLOAD_BYTES,
        ...only,
      };
      const answer = await ask(this.id, "/branch-steps", query, null, this.reveal);
      for (const [id, raw] of Object.entries(answer.data)) {
        const branch = fork.branches.get(id) ?? { id, branchId: raw.branchId, fork: step, byId: new Map(), steps: [] };
        fork.branches.set(id, branch);
        for (const each of raw.steps) moveTo(fork, branch, closedWith(stepOf(each), this.metadata));
        branch.steps = inOrder(branch.byId.values());
      }
      for (const warning of answer.warnings ?? []) this.warnings.add(textOf(warning));
      nextToken = answer.nextToken;
      this.notify();
      if (!nextToken) return;
    }
  }
}

/** Puts a step into a branch. A nested step moves to another lane if earlier steps are written later. */
function moveTo(fork, branch, step) {
  const id = step.stepInstanceId;
  const earlier = fork.branchOf.get(id);
  fork.branchOf.set(id, branch);
  branch.byId.set(id, step);
  if (!earlier || earlier === branch) return;
  earlier.byId.delete(id);
  earlier.steps = earlier.steps.filter((each) => each.stepInstanceId !== id);
  if (earlier.byId.size === 0) fork.branches.delete(earlier.id);
}

const ONLY_FAILED = { stepStatus: "FAILED" };

const failedOf = (steps) => steps.filter((step) => step.status === "FAILED");

const textOf = (warning) => (typeof warning === "string" ? warning : (warning?.message ?? JSON.stringify(warning)));

function metadataOf(raw) {
  return { ...raw, status: statusOf(raw.status), durationMs: plainNumber(raw.durationMs) };
}

/** A run, its expanded sub-flows, and the listeners for changes. */
export class RunModel {
  constructor(id, reveal) {
    this.version = 0;
    this.reveal = reveal;
    this.listener = () => {};
    this.notify = () => {
      this.version += 1;
      this.listener(this.version);
    };
    this.root = new RunStore(id, this.notify, reveal);
    /** @type {Map<string, RunStore>} */
    this.subs = new Map();
    /** The forks and runs that are expanded on the screen. */
    this.wanted = [];
  }

  get settled() {
    const isDone = (wanted) => {
      const part = this.partOf(wanted);
      return part?.settled || isRefused(part?.error);
    };
    return this.root.settled && this.wanted.every(isDone);
  }

  /** Whether a part is still being read for the first time. */
  get isPending() {
    const isRead = (wanted) => {
      const part = this.partOf(wanted);
      return Boolean(part?.error) || (wanted.runId ? part?.complete : part?.state === "ready");
    };
    return !this.root.complete || !this.wanted.every(isRead);
  }

  /** The data of a fork or sub-flow that has been read. @returns {Fork|RunStore|undefined} */
  partOf({ store, step, runId }) {
    return runId ? this.subs.get(runId) : store.forks.get(step.stepInstanceId);
  }

  /** The time since the last change, in milliseconds. */
  get stillMs() {
    const stores = [this.root, ...this.subs.values()];
    return now() - Math.max(...stores.map((store) => store.changedAt));
  }

  /** One round of the poll. @param {AbortSignal} signal */
  async read(signal) {
    await this.root.read(signal);
    await this.readWanted();
    return this.version;
  }

  /** The parts that are expanded on the screen and must be read. */
  async readWanted(only = () => true) {
    await eachOf(this.wanted.filter(only), CONCURRENCY, (wanted) => this.readOne(wanted));
  }

  /** Reads a fork or a sub-flow. @param {{store?: RunStore, step?: Step, runId?: string}} wanted */
  readOne({ store, step, runId }) {
    return runId ? this.readSub(runId) : store.readFork(step);
  }

  /** Retries a failed read. Its row shows the error again if it fails again. */
  retry(wanted) {
    const part = this.partOf(wanted);
    Object.assign(part, { error: null, ...(part.state === "failed" ? { state: "loading" } : {}) });
    this.notify();
    this.readOne(wanted).catch(() => {});
  }

  /**
   * Reads a sub-flow in place. Errors are shown in its row, and it is read again while the parent
   * run is open: its record may not have been written yet. Temporary errors are also thrown.
   */
  async readSub(runId) {
    const store = this.subOf(runId);
    store.asked = true;
    await once(store, () => this.readSubNow(store));
    return store;
  }

  /** @param {string} runId @returns {RunStore} */
  subOf(runId) {
    if (!this.subs.has(runId)) this.subs.set(runId, new RunStore(runId, this.notify, this.reveal));
    return this.subs.get(runId);
  }

  async readSubNow(store) {
    try {
      await store.read(null);
      store.error = null;
    } catch (error) {
      store.error = error;
      if (isTemporary(error)) throw error;
    } finally {
      this.notify();
    }
  }
}

/**
 * The run with all its branches, for a file: a fork has its `branches`.
 * @param {string} runId @param {AbortSignal} signal @param {(steps: number) => void} onProgress
 * @param {boolean} reveal whether it contains secrets
 */
export async function wholeRun(runId, signal, onProgress, reveal) {
  const metadata = {};
  const steps = [];
  const payloads = {};
  for (let nextToken = null, first = true; first || nextToken; first = false) {
    const { data } = await ask(
      runId,
      "",
      { limit: limits().pageSize, nextToken, runPayloads: first ? RUN_PAYLOADS.join() : null },
      signal,
      reveal,
    );
    if (first) for (const name of RUN_PAYLOADS) payloads[name] = data[name] ?? null;
    Object.assign(metadata, data.metadata);
    steps.push(...data.steps);
    onProgress(steps.length);
    nextToken = data.nextToken;
  }
  for (const step of steps) if (isFork(step)) step.branches = await wholeBranches(runId, step, signal, reveal);
  return {
    metadata,
    input: payloads.input,
    output: payloads.output,
    executionData: payloads.executionData,
    steps,
    resolvedFinalContextData: payloads.resolvedFinalContextData,
  };
}

async function wholeBranches(runId, fork, signal, reveal) {
  const branches = {};
  for (let nextToken = null, first = true; first || nextToken; first = false) {
    const query = {
      parentStepInstanceId: fork.stepInstanceId,
      parentStepStartTime: fork.startTime,
      limit: limits().pageSize,
      nextToken,
    };
    const answer = await ask(runId, "/branch-steps", query, signal, reveal);
    for (const [id, { branchId, steps }] of Object.entries(answer.data)) {
      (branches[id] ??= { branchId, steps: [] }).steps.push(...steps);
    }
    nextToken = answer.nextToken;
  }
  for (const { steps } of Object.values(branches)) {
    for (const step of steps) if (isFork(step)) step.branches = await wholeBranches(runId, step, signal, reveal);
  }
  return branches;
}
