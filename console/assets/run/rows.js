// Owns the rows of the timeline and the table: the steps in chronological order, the branches of an
// expanded fork, and the steps of an expanded sub-flow, at any depth.
import { isRefused } from "../api.js";
import { isOpen } from "../ui/status.js";
import { isFork } from "./data.js";
import { visible } from "./json-model.js";

/** Lanes of a fork with more steps are collapsed initially. */
const FEW = 60;

/**
 * Each row also has its `place` among `siblings.count`, from 1.
 * @typedef {{kind: "step", key: string, depth: number, step: import("./data.js").Step, runId: string,
 *   parts: ?("fork"|"run"), open: boolean, begin: ?number, end: ?number, status: string, name: string}} StepRow
 * @typedef {{kind: "lane", key: string, depth: number, branch: import("./data.js").Branch, open: boolean,
 *   parts: "lane", begin: ?number, end: ?number, status: string, name: string}} LaneRow
 * @typedef {{kind: "note", key: string, depth: number, text: string, tone: "busy"|"bad"|"plain", runId?: string,
 *   retry: ?(() => void)}} NoteRow
 * @typedef {StepRow|LaneRow|NoteRow} Row
 */

/** The key of a step on this page: its id, after the run's id if the run is a sub-flow. */
export function keyOf(model, runId, step) {
  return runId === model.root.id ? step.stepInstanceId : `${runId}~${step.stepInstanceId}`;
}

/** @param {import("./data.js").Step} step */
export const nameOf = (step) => visible(step.stepName || step.stepId || step.stepInstanceId);

/**
 * @param {import("./data.js").RunModel} model
 * @param {(key: string, byDefault: boolean) => boolean} isExpanded
 * @returns {{rows: Row[], wanted: Object[]}} `wanted`: the expanded forks and runs
 */
export function buildRows(model, isExpanded) {
  const build = { model, isExpanded, rows: [], wanted: [] };
  addSteps(build, model.root, model.root.steps, 1, [model.root.id]);
  placeAmongSiblings(build.rows);
  return build;
}

/** The position of a row among its siblings: only some of them are in the DOM. */
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
      kind: "step",
      key,
      depth,
      step,
      runId: store.id,
      parts,
      open,
      begin: step.begin,
      end: step.end,
      status: step.status,
      name: nameOf(step),
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
  if (fork.state === "failed") return note(`The branches could not be loaded: ${fork.error.message}`, "bad");
  if (fork.branches.size === 0) {
    return note(
      isOpen(step.status) ? "No branch has started yet." : "No branches are recorded for this fork.",
      "plain",
    );
  }
  const lanes = lanesOf(fork);
  const few = lanes.reduce((sum, { branch }) => sum + branch.steps.length, 0) <= FEW;
  for (const { branch, name } of lanes) {
    const laneKey = `${key}!${branch.id}`;
    const open = build.isExpanded(laneKey, few);
    build.rows.push({
      kind: "lane",
      key: laneKey,
      depth,
      branch,
      open,
      parts: "lane",
      ...spanOf(branch.steps),
      name: visible(name),
    });
    if (open) addSteps(build, store, branch.steps, depth + 1, path);
  }
  if (fork.error) note(`The branches are not up to date: ${fork.error.message}`, "bad");
}

/**
 * The branches of a fork in the order of their start, each with a unique name: branches with the
 * same name get a number after all of them have been read.
 * @param {import("./data.js").Fork} fork
 * @returns {{branch: import("./data.js").Branch, name: string}[]}
 */
export function lanesOf(fork) {
  const begin = ({ steps }) => steps[0]?.begin ?? Infinity;
  const branches = [...fork.branches.values()].sort((a, b) => begin(a) - begin(b) || (a.id < b.id ? -1 : 1));
  const counts = new Map();
  const count = (name) => counts.set(name, (counts.get(name) ?? 0) + 1).get(name);
  const named = branches.map((branch) => ({ branch, name: branch.branchId || branch.id }));
  const numbered = named.map((lane) => ({ ...lane, number: count(lane.name) }));
  const isShared = (name) => fork.state !== "loading" && counts.get(name) > 1;
  return numbered.map(({ branch, name, number }) => ({ branch, name: isShared(name) ? `${name} ${number}` : name }));
}

/** The name of a branch by its id. @param {import("./data.js").Fork} fork @param {string} id */
export function laneName(fork, id) {
  return lanesOf(fork).find(({ branch }) => branch.id === id)?.name ?? id;
}

function addRun(build, runId, key, depth, path) {
  const note = (text, tone, retry = null) =>
    build.rows.push({ kind: "note", key: `${key}!note`, depth, text, tone, runId, retry });
  // A record can name one of its ancestors.
  if (path.includes(runId)) {
    return note("This sub-flow is the same run as its parent, so it is not shown again.", "plain");
  }
  build.wanted.push({ runId });
  const sub = build.model.subs.get(runId);
  if (sub?.error && !sub.metadata) {
    return note(explainSub(sub.error), "bad", isRefused(sub.error) ? () => build.model.retry({ runId }) : null);
  }
  if (!sub?.metadata) return note("Loading the run …", "busy");
  if (sub.steps.length === 0 && sub.complete) return note("This run has no steps.", "plain");
  addSteps(build, sub, sub.steps, depth, [...path, runId]);
  if (!sub.complete) note("Loading more steps …", "busy");
}

function explainSub(error) {
  if (error.status === 404) {
    return "The run of this sub-flow was not found. It was deleted or has not been written yet.";
  }
  if (error.status === 403) return "You do not have access to the run of this sub-flow.";
  return `The run of this sub-flow could not be loaded: ${error.message}`;
}

const RANK = ["FAILED", "RUNNING", "PENDING", "CANCELLED", "COMPLETED", "SKIPPED"];

/** The period and the worst state of several steps. */
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
