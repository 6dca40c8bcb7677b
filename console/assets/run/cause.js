// Owns the search for the step that failed first: through forks and sub-flows, which it reads, down
// to a step without children.
import { isFork } from "./data.js";
import { keyOf, laneName, nameOf } from "./rows.js";

const DEEPEST = 12;
/** The maximum number of forks and runs that the search reads. */
const MAX_READS = 24;

/**
 * The step that failed first, the keys of the rows that must be expanded to see it, and the name of
 * its lane, which gets its number after all lanes have been read.
 * @typedef {{key: string, open: string[], step: import("./data.js").Step, name: string, lane: () => ?string}} Cause
 */

const NO_LANE = () => null;

/** The time at which a step failed. */
const failedAt = (step) => step.end ?? step.begin ?? Infinity;

/**
 * The steps that may have caused their parent's failure, in the order of their failures: the steps
 * whose error is part of its message, otherwise all failed steps. Errors without consequences are
 * ignored.
 * @param {import("./data.js").Step[]} steps @param {?string} message
 */
export function suspects(steps, message) {
  const failed = steps.filter((step) => step.status === "FAILED").sort((a, b) => failedAt(a) - failedAt(b));
  const named = failed.filter((step) => step.errorMessage && message?.includes(step.errorMessage));
  return named.length > 0 ? named : failed;
}

/** @param {import("./data.js").RunModel} model @returns {Promise<?Cause>} */
export async function findCause(model) {
  const { root } = model;
  const steps = await root.readFailed();
  const search = { model, seen: new Set([root.id]), reads: 0 };
  return first(search, root, steps, root.metadata.errorMessage, () => ({ open: [], lane: NO_LANE }));
}

/**
 * The first of several suspects to fail. All forks and sub-flows are searched. Of the other steps,
 * only the first is considered, because the suspects are in the order of their failures.
 */
async function first(search, store, steps, message, pathOf) {
  let cause = null;
  let hasStep = false;
  for (const step of suspects(steps, message)) {
    const holds = isFork(step) || Boolean(step.subflowExecutionId);
    if (!holds && hasStep) continue;
    hasStep ||= !holds;
    const found = await within(search, store, step, pathOf(step));
    if (!cause || failedAt(found.step) < failedAt(cause.step)) cause = found;
  }
  return cause;
}

/** The first step that failed within a step, or the step itself. @returns {Promise<Cause>} */
async function within(search, store, step, path) {
  const key = keyOf(search.model, store.id, step);
  const open = [...path.open, key];
  const itself = { key, open: path.open, step, name: nameOf(step), lane: path.lane };
  if (path.open.length > DEEPEST * 2 || search.reads >= MAX_READS) return itself;
  // If children cannot be read, the search ends at their parent.
  const found = isFork(step)
    ? await inFork(search, store, step, open).catch(() => null)
    : step.subflowExecutionId
      ? await inRun(search, step.subflowExecutionId, open).catch(() => null)
      : null;
  return found ?? itself;
}

async function inFork(search, store, step, open) {
  search.reads += 1;
  await store.readFailedBranches(step);
  const fork = store.forkOf(step);
  const branchOf = new Map([...fork.branches.values()].flatMap((branch) => branch.steps.map((each) => [each, branch])));
  const message = step.errorMessage ?? store.metadata.errorMessage;
  return first(search, store, [...branchOf.keys()], message, (each) => {
    const { id } = branchOf.get(each);
    return { open: [...open, `${open.at(-1)}!${id}`], lane: () => laneName(fork, id) };
  });
}

async function inRun(search, runId, open) {
  if (search.seen.has(runId)) return null;
  search.seen.add(runId);
  search.reads += 1;
  const store = search.model.subOf(runId);
  const steps = await store.readFailed();
  return first(search, store, steps, store.metadata.errorMessage, () => ({ open, lane: NO_LANE }));
}
