// The interface of the writer for its runs and steps.

import { inspect } from 'node:util';
import type { RecordBuffer } from './buffer.js';
import type { Run, SubflowOptions } from './run.js';
import type { Table } from './table.js';
import type { Encoded } from './values.js';

/** The parts of the writer that runs and steps use. */
export interface Host {
  readonly buffer: RecordBuffer;
  readonly table: Table;
  /** Throws `WriterClosed` if the writer is closed. */
  ensureOpen(): void;
  /** The current time in milliseconds since 1970. */
  nowMs(): number;
  encode(field: string, value: unknown): Encoded;
  /** Makes the writer wait for a call before it closes. */
  track<Result>(call: Promise<Result>): Promise<Result>;
  startSubflow(parent: Parent, options: SubflowOptions): Promise<Run>;
}

/** The number of steps of a run, by their end. */
export interface StepSummary {
  total: number;
  passed: number;
  failed: number;
}

/** The parts of a run that its steps use. */
export interface Execution {
  readonly executionId: string;
  readonly teamId: string;
  readonly summary: StepSummary;
}

/** The step that starts a sub-flow, and its run. */
export interface Parent {
  readonly teamId: string;
  readonly executionId: string;
  readonly stepInstanceId: string;
}

/** A run or step that ends with the result of a function. */
interface Endable {
  readonly isOpen: boolean;
  complete(): Promise<unknown>;
  fail(errorMessage: string): Promise<unknown>;
}

/** Calls the function, and ends the run or step with its result, unless the function has ended it. */
export async function runAndEnd<Target extends Endable, Result>(
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

/** Reports an error that must not hide the error before it. */
function warn(error: unknown): void {
  process.emitWarning(textOf(error), 'FlowtrailWriter');
}
