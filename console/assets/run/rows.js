// Owns which rows the timeline and the table have: the steps in order of time, below an
// open fork its branches, below an open sub-flow the steps of its run, at any depth.
import { isRefused } from "../api.js";
import { isOpen } from "../ui/status.js";
import { isFork } from "./data.js";
import { visible } from "./json-model.js";

/** Lanes of a fork with more steps are folded at first. */
const FEW = 60;

/**
 * Each row has, besides, its `place` among `siblings.count`, from 1.
 * @typedef {{kind: "step", key: string, depth: number, step: import("./data.js").Step, runId: string, parts: ?("fork"|"run"), open: boolean, begin: ?number, end: ?number, status: string, name: string}} StepRow
 * @typedef {{kind: "lane", key: string, depth: number, branch: import("./data.js").Branch, open: boolean, parts: "lane", begin: ?number, end: ?number, status: string, name: string}} LaneRow
 * @typedef {{kind: "note", key: string, depth: number, text: string, tone: "busy"|"bad"|"plain", runId?: string, retry: ?(() => void)}} NoteRow
 * @typedef {StepRow|LaneRow|NoteRow} Row
 */

/** What names a step on this page: its id, and behind the run's where that is another. */
export function keyOf(model, runId, step) {
  return runId === model.root.id ? step.stepInstanceId : `${runId}~${step.stepInstanceId}`;
}

/** @param {import("./data.js").Step} step */
export const nameOf = (step) => visible(step.stepName || step.stepId || step.stepInstanceId);

/**
 * @param {import("./data.js").RunModel} model
 * @param {(key: string, byDefault: boolean) => boolean} isExpanded
 * @returns {{rows: Row[], wanted: Object[]}} `wanted`: the forks and runs that are open
 */
export function buildRows(model, isExpanded) {
  const build = { model, isExpanded, rows: [], wanted: [] };
  addSteps(build, model.root, model.root.steps, 1, [model.root.id]);
  placeAmongSiblings(build.rows);
  return build;
}

/** Which of how many a row is, below the same one: only some of them are in the page. */
function placeAmongSiblings(rows) {
  const open = [];
  for (const row of rows) {
    open.length = row.depth;
    row.siblings = open[row.depth - 1] ??= { count: 0 };
    row.place = row.siblings.count += 1;
  }
}

function addSteps(build, store, steps, depth, path) {
  for (const step of steps) {
    const key = keyOf(build.model, store.id, step);
    const parts = isFork(step) ? "fork" : step.subflowExecutionId ? "run" : null;
    const open = parts !== null && build.isExpanded(key, false);
    build.rows.push({
      kind: "step", key, depth, step, runId: store.id, parts, open,
      begin: step.begin, end: step.end, status: step.status, name: nameOf(step),
    });
    if (open && parts === "fork") addBranches(build, store, step, key, depth + 1, path);
    if (open && parts === "run") addRun(build, step.subflowExecutionId, key, depth + 1, path);
  }
}

function addBranches(build, store, step, key, depth, path) {
  build.wanted.push({ store, step });
  const fork = store.forks.get(step.stepInstanceId);
  const retry = isRefused(fork?.error) ? () => build.model.retry({ store, step }) : null;
  const note = (text, tone) => build.rows.push({ kind: "note", key: `${key}!note`, depth, text, tone, retry });
  if (!fork || (fork.state === "loading" && fork.branches.size === 0)) return note("Loading the branches …", "busy");
  if (fork.state === "failed") return note(`The branches could not be read: ${fork.error.message}`, "bad");
  if (fork.branches.size === 0) return note(isOpen(step.status) ? "No branch has begun yet." : "No branches are recorded for this fork.", "plain");
  const branches = [...fork.branches.values()];
  const few = branches.reduce((sum, branch) => sum + branch.steps.length, 0) <= FEW;
  for (const branch of branches) {
    const laneKey = `${key}!${branch.id}`;
    const open = build.isExpanded(laneKey, few);
    build.rows.push({ kind: "lane", key: laneKey, depth, branch, open, parts: "lane", ...spanOf(branch.steps), name: visible(branch.branchId || branch.id) });
    if (open) addSteps(build, store, branch.steps, depth + 1, path);
  }
  if (fork.error) note(`The branches are from before: ${fork.error.message}`, "bad");
}

function addRun(build, runId, key, depth, path) {
  const note = (text, tone, retry = null) => build.rows.push({ kind: "note", key: `${key}!note`, depth, text, tone, runId, retry });
  // A record can name a run that is above it.
  if (path.includes(runId)) return note("This run is the one above: it is not opened again.", "plain");
  build.wanted.push({ runId });
  const sub = build.model.subs.get(runId);
  if (sub?.error && !sub.metadata) return note(explainSub(sub.error), "bad", isRefused(sub.error) ? () => build.model.retry({ runId }) : null);
  if (!sub?.metadata) return note("Loading the run …", "busy");
  if (sub.steps.length === 0) return note("This run has no steps.", "plain");
  addSteps(build, sub, sub.steps, depth, [...path, runId]);
  if (!sub.complete) note("Loading more steps …", "busy");
}

function explainSub(error) {
  if (error.status === 404) return "The run of this sub-flow is not there: it was deleted, or has not been written.";
  if (error.status === 403) return "The run of this sub-flow is not yours to see.";
  return `The run of this sub-flow could not be read: ${error.message}`;
}

const RANK = ["FAILED", "RUNNING", "PENDING", "CANCELLED", "COMPLETED", "SKIPPED"];

/** The time and the state of several steps: the worst one's. */
export function spanOf(steps) {
  let begin = null;
  let end = null;
  let rank = RANK.length;
  let running = false;
  for (const step of steps) {
    if (step.begin !== null && (begin === null || step.begin < begin)) begin = step.begin;
    if (step.end !== null && (end === null || step.end > end)) end = step.end;
    running ||= isOpen(step.status);
    const own = RANK.indexOf(step.status);
    if (own >= 0 && own < rank) rank = own;
  }
  return { begin, end: running ? null : end, status: RANK[rank] ?? "UNKNOWN" };
}

/**
 * The step that made a run fail: the one whose error the run tells, else the last that failed.
 * @param {import("./data.js").Step[]} steps @param {?string} message
 */
export function failedStep(steps, message) {
  const failed = steps.filter((step) => step.status === "FAILED");
  const told = failed.filter((step) => step.errorMessage && message?.includes(step.errorMessage));
  return told.at(-1) ?? failed.at(-1) ?? null;
}

/**
 * The way down to the cause of a failure, through forks and runs, which are read for it.
 * @returns {Promise<?{key: string, open: string[]}>}
 */
export async function findCause(model) {
  const open = [];
  const seen = new Set([model.root.id]);
  let store = model.root;
  let step = failedStep(store.steps, store.metadata.errorMessage);
  let key = step && keyOf(model, store.id, step);
  for (let depth = 0; step && depth < 12; depth += 1) {
    const next = await below(model, store, step, seen);
    if (!next?.step) break;
    open.push(key, ...(next.lane ? [`${key}!${next.lane}`] : []));
    ({ store, step } = next);
    key = keyOf(model, store.id, step);
  }
  return key ? { key, open } : null;
}

async function below(model, store, step, seen) {
  // What cannot be read now ends the way at what holds it.
  if (isFork(step)) {
    await store.readFork(step).catch(() => {});
    const branches = [...(store.forks.get(step.stepInstanceId)?.branches.values() ?? [])];
    const cause = failedStep(branches.flatMap((branch) => branch.steps), step.errorMessage ?? store.metadata.errorMessage);
    const lane = branches.find((branch) => branch.steps.includes(cause))?.id;
    return { store, step: cause, lane };
  }
  const runId = step.subflowExecutionId;
  if (!runId || seen.has(runId)) return null;
  seen.add(runId);
  const sub = await model.readSub(runId).catch(() => null);
  return sub?.metadata ? { store: sub, step: failedStep(sub.steps, sub.metadata.errorMessage) } : null;
}
