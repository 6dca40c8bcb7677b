// What runs and steps need of the writer that they belong to.

import { inspect } from 'node:util';
import type { RecordBuffer } from './buffer.js';
import type { Run, SubflowOptions } from './run.js';
import type { Table } from './table.js';
import type { Stored } from './values.js';

/** The writer, as runs and steps see it. */
export interface Host {
  readonly buffer: RecordBuffer;
  readonly table: Table;
  /** Raises `WriterClosed` once the writer is closed. */
  ensureOpen(): void;
  /** Milliseconds since 1970. */
  nowMs(): number;
  stored(field: string, value: unknown): Stored;
  /** Has the writer wait for a call before it closes. */
  tracked<Result>(call: Promise<Result>): Promise<Result>;
  startSubflow(parent: Parent, options: SubflowOptions): Promise<Run>;
}

/** How many steps of a run there are, and how they ended. */
export interface StepSummary {
  total: number;
  passed: number;
  failed: number;
}

/** The run that steps belong to, as they see it. */
export interface Execution {
  readonly executionId: string;
  readonly teamId: string;
  readonly summary: StepSummary;
}

/** The step that starts a sub-flow. */
export interface Parent {
  readonly teamId: string;
  readonly executionId: string;
  readonly stepInstanceId: string;
}

/** What ends with what becomes of some work. */
interface Ending {
  readonly isOpen: boolean;
  complete(): Promise<unknown>;
  fail(errorMessage: string): Promise<unknown>;
}

/** Does the work, and ends the run or step with what became of it, unless the work has done so itself. */
export async function endedBy<Target extends Ending, Result>(
  target: Target,
  work: (target: Target) => Result | Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await work(target);
  } catch (failure) {
    if (target.isOpen) await target.fail(textOf(failure)).catch(warn);
    throw failure;
  }
  if (target.isOpen) await target.complete();
  return result;
}

function textOf(failure: unknown): string {
  if (failure instanceof Error) return failure.message || failure.name;
  return typeof failure === 'string' ? failure : inspect(failure);
}

/** For an error that must not stand before the one that led to it. */
function warn(error: unknown): void {
  process.emitWarning(textOf(error), 'FlowtrailWriter');
}
