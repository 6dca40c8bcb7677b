// Owns what is read of a run: its steps page by page, the branches of its forks, and the
// runs below it. What is open is read again; what has ended is not.
import { get, isRefused, passes } from "../api.js";
import { eachOf } from "../each.js";
import { now, parseTime } from "../format.js";
import { isOpen, statusOf } from "../ui/status.js";
import { parseExact, plainNumber } from "./exact.js";

const FORK = "PARALLEL_FORK_MANAGER";
// The first page is small, so that something stands on the screen soon.
const FIRST_PAGE = 100;
const NEXT_PAGES = 500;
/** Longer payloads are left out of the pages, and loaded by who looks at their step. */
const MOST_BYTES = 16 * 1024;
const AT_ONCE = 4;

/**
 * @typedef {{stepInstanceId: string, stepId: ?string, stepName: ?string, stepType: ?string, sequenceNumber: ?number,
 *   status: string, startTime: ?string, endTime: ?string, durationMs: ?number, retryCount: ?number, input: any,
 *   output: any, executionData: any, omittedPayloads?: Object<string, ?number>, errorMessage: ?string, subflowExecutionId: ?string, begin: ?number, end: ?number}} Step
 *   `begin` and `end` are the times in milliseconds; `end` is null while it is not known
 * @typedef {{id: string, branchId: ?string, fork: Step, steps: Step[]}} Branch
 * @typedef {{branches: Map<string, Branch>, state: "loading"|"ready"|"failed", error: ?Error, settled: boolean}} Fork
 */

/** @param {Step} step */
export const isFork = (step) => step.stepType === FORK;

/**
 * The run's details, as the API answers them, with every digit. Secrets stay hidden, also
 * from who may see them, unless they are asked for: each look is an event of the audit.
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

// Records of the same moment, such as the steps that a failure skips, stand by their number.
function inOrder(steps) {
  const number = (step) => plainNumber(step.sequenceNumber) ?? Infinity;
  return [...steps].sort((a, b) => (a.begin ?? Infinity) - (b.begin ?? Infinity) || number(a) - number(b) || 0);
}

/**
 * Reads a part, unless that is under way: then what comes of it is for both who asked. A
 * round of the poll that took it for done would take its failure back. As it is for both,
 * neither can abort it.
 * @param {{reading?: ?Promise<void>}} part @param {() => Promise<void>} read
 */
function once(part, read) {
  part.reading ??= read().finally(() => { part.reading = null; });
  return part.reading;
}

/** One run with its steps. It changes in place, and tells `notify`. */
export class RunStore {
  constructor(id, notify, reveal) {
    this.id = id;
    this.notify = notify;
    this.reveal = reveal;
    this.metadata = null;
    this.context = null;
    /** Its bytes where it is left out; null where nobody has looked for it. @type {?number|undefined} */
    this.omittedContext = undefined;
    this.warnings = new Set();
    /** @type {Step[]} in order of time */
    this.steps = [];
    this.byId = new Map();
    /** @type {Map<string, Fork>} by the fork's stepInstanceId */
    this.forks = new Map();
    this.pages = [{ token: null, limit: FIRST_PAGE, settled: false }];
    /** Whether all pages were read once. */
    this.complete = false;
    /** Whether nothing of it can change any more. */
    this.settled = false;
    this.error = null;
  }

  /** Reads what is new or may have changed. @param {AbortSignal} signal */
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
      // The end may have come between two pages: once more, all of it, and that is the last.
      if (whole && endedFirst) this.settled = true;
      else for (const page of this.pages) page.settled = false;
    }
    this.notify();
  }

  /** Takes in that it was pinned or unpinned: what has settled is not read again. @param {boolean} pinned */
  setPinned(pinned) {
    this.metadata = { ...this.metadata, pinned };
    this.notify();
  }

  async readPage(index, signal) {
    const page = this.pages[index];
    const { data } = await ask(this.id, "", { limit: page.limit, nextToken: page.token, maxPayloadBytes: MOST_BYTES }, signal, this.reveal);
    this.metadata = metadataOf(data.metadata);
    if (index === 0) {
      this.context = data.resolvedFinalContextData;
      this.omittedContext = data.omittedPayloads?.resolvedFinalContextData;
    }
    for (const warning of data.warnings ?? []) this.warnings.add(textOf(warning));
    const steps = data.steps.map(stepOf);
    for (const step of steps) this.byId.set(step.stepInstanceId, step);
    this.steps = inOrder(this.byId.values());
    page.settled = !steps.some((step) => isOpen(step.status));
    this.follow(index, data.nextToken);
    this.notify();
  }

  /**
   * What follows a page. Where a page ends is a matter of bytes, too, and so moves while its
   * steps are written: the pages behind it are then others.
   */
  follow(index, token) {
    const next = this.pages[index + 1];
    if (next?.token === token) return;
    this.pages.length = index + 1;
    if (token) this.pages.push({ token, limit: NEXT_PAGES, settled: false });
  }

  /**
   * Reads the branches of a fork, all pages of them. What is refused is told in its row;
   * what may pass is thrown, too, for the poll. @param {Step} step
   */
  async readFork(step) {
    const old = this.forks.get(step.stepInstanceId);
    if (old?.settled || isRefused(old?.error)) return undefined;
    const fork = old ?? { branches: new Map(), state: "loading", error: null, settled: false };
    this.forks.set(step.stepInstanceId, fork);
    return once(fork, () => this.readForkNow(step, fork));
  }

  async readForkNow(step, fork) {
    const ended = !isOpen(step.status);
    try {
      await this.readBranches(step, fork);
      const open = [...fork.branches.values()].some((branch) => branch.steps.some((each) => isOpen(each.status)));
      Object.assign(fork, { state: "ready", error: null, settled: ended && (!open || this.settled) });
    } catch (error) {
      Object.assign(fork, { state: fork.branches.size ? "ready" : "failed", error });
      if (passes(error)) throw error;
    } finally {
      this.notify();
    }
  }

  /** When something of it was last seen to change, in milliseconds. */
  get changedAt() {
    const times = [this.metadata?.startTime, this.metadata?.createdAt, this.metadata?.heartbeatAt].map(parseTime);
    const branches = [...this.forks.values()].flatMap((fork) => [...fork.branches.values()]);
    for (const { steps } of [this, ...branches]) for (const { begin, end } of steps) times.push(begin, end);
    return times.reduce((latest, time) => Math.max(latest, time ?? 0), 0);
  }

  async readBranches(step, fork) {
    for (let nextToken = null; ;) {
      const query = { parentStepInstanceId: step.stepInstanceId, parentStepStartTime: step.startTime, limit: NEXT_PAGES, nextToken, maxPayloadBytes: MOST_BYTES };
      const answer = await ask(this.id, "/branch-steps", query, null, this.reveal);
      for (const [id, raw] of Object.entries(answer.data)) {
        const branch = fork.branches.get(id) ?? { id, branchId: raw.branchId, fork: step, byId: new Map(), steps: [] };
        for (const each of raw.steps.map(stepOf)) branch.byId.set(each.stepInstanceId, each);
        branch.steps = inOrder(branch.byId.values());
        fork.branches.set(id, branch);
      }
      for (const warning of answer.warnings ?? []) this.warnings.add(textOf(warning));
      nextToken = answer.nextToken;
      this.notify();
      if (!nextToken) return;
    }
  }
}

const textOf = (warning) => (typeof warning === "string" ? warning : warning?.message ?? JSON.stringify(warning));

function metadataOf(raw) {
  return { ...raw, status: statusOf(raw.status), durationMs: plainNumber(raw.durationMs) };
}

/** A run, the runs below it that were opened, and who wants to hear of changes. */
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
    /** What is open on the screen, as the rows found it. */
    this.wanted = [];
  }

  get settled() {
    const isDone = (wanted) => {
      const part = this.partOf(wanted);
      return part?.settled || isRefused(part?.error);
    };
    return this.root.settled && this.wanted.every(isDone);
  }

  /** What is in hand of a fork or a run below. @returns {Fork|RunStore|undefined} */
  partOf({ store, step, runId }) {
    return runId ? this.subs.get(runId) : store.forks.get(step.stepInstanceId);
  }

  /** How long nothing has changed, in milliseconds. */
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

  /** What is open on the screen and not yet, or no longer, in hand. */
  async readWanted(only = () => true) {
    await eachOf(this.wanted.filter(only), AT_ONCE, (wanted) => this.readOne(wanted));
  }

  /** A fork or a run below. @param {{store?: RunStore, step?: Step, runId?: string}} wanted */
  readOne({ store, step, runId }) {
    return runId ? this.readSub(runId) : store.readFork(step);
  }

  /** Once more, what was refused. Its error is told in its row again. */
  retry(wanted) {
    const part = this.partOf(wanted);
    Object.assign(part, { error: null, ...(part.state === "failed" ? { state: "loading" } : {}) });
    this.notify();
    this.readOne(wanted).catch(() => {});
  }

  /**
   * A run below, in place. What is refused is told in its row, and read again while the run
   * above goes on: it may only not have been written. What may pass is thrown, too.
   */
  async readSub(runId) {
    const store = this.subs.get(runId) ?? new RunStore(runId, this.notify, this.reveal);
    this.subs.set(runId, store);
    await once(store, () => this.readSubNow(store));
    return store;
  }

  async readSubNow(store) {
    try {
      await store.read(null);
      store.error = null;
    } catch (error) {
      store.error = error;
      if (passes(error)) throw error;
    } finally {
      this.notify();
    }
  }
}

/**
 * The run with all of its branches, for a file: a fork has its `branches`.
 * @param {string} runId @param {AbortSignal} signal @param {(steps: number) => void} onProgress
 * @param {boolean} reveal whether secrets are to stand in it
 */
export async function wholeRun(runId, signal, onProgress, reveal) {
  const metadata = {};
  const steps = [];
  let context = null;
  for (let nextToken = null, first = true; first || nextToken; first = false) {
    const { data } = await ask(runId, "", { limit: NEXT_PAGES, nextToken }, signal, reveal);
    if (first) context = data.resolvedFinalContextData;
    Object.assign(metadata, data.metadata);
    steps.push(...data.steps);
    onProgress(steps.length);
    nextToken = data.nextToken;
  }
  for (const step of steps) if (isFork(step)) step.branches = await wholeBranches(runId, step, signal, reveal);
  return { metadata, steps, resolvedFinalContextData: context };
}

async function wholeBranches(runId, fork, signal, reveal) {
  const branches = {};
  for (let nextToken = null, first = true; first || nextToken; first = false) {
    const query = { parentStepInstanceId: fork.stepInstanceId, parentStepStartTime: fork.startTime, limit: NEXT_PAGES, nextToken };
    const answer = await ask(runId, "/branch-steps", query, signal, reveal);
    for (const [id, { branchId, steps }] of Object.entries(answer.data)) (branches[id] ??= { branchId, steps: [] }).steps.push(...steps);
    nextToken = answer.nextToken;
  }
  for (const { steps } of Object.values(branches)) {
    for (const step of steps) if (isFork(step)) step.branches = await wholeBranches(runId, step, signal, reveal);
  }
  return branches;
}
