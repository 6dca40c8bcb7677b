// Steps, and the branches of those that fork.

import { randomUUID } from 'node:crypto';
import { InvalidRecord, StepEnded } from './errors.js';
import { STEP_ERROR_BYTES, count, errorMessage, id, optional, options as checked, text, time, timeOfMs, type Time } from './fields.js';
import { endedBy, type Execution, type Host } from './host.js';
import {
  FORK_TYPE,
  attributes,
  branchPlace,
  payloadItems,
  stepKey,
  type Item,
  type Place,
} from './records.js';
import type { Run, SubflowOptions } from './run.js';

export interface ForkOptions {
  /** The step's id in the flow's definition. */
  stepId: string;
  /** Its name for people. */
  name?: string;
  input?: unknown;
  /** The id of this run of the step; a UUID where there is none. */
  id?: string;
  /** How many attempts went before. */
  retryCount?: number;
  /** Its place in the run or branch; the next one where there is none. */
  sequenceNumber?: number;
  /** When it began, where that is not now. A step is its id and its start: the same two again replace it. */
  startTime?: Time;
  /** What else there is to know of it. */
  data?: unknown;
}

export interface StepOptions extends ForkOptions {
  /** What kind of step it is, in your engine's words. */
  type?: string;
}

type StepEnd = 'COMPLETED' | 'FAILED' | 'SKIPPED' | 'CANCELLED';

/** The values that a step may have. */
interface StepValues {
  input?: unknown;
  output?: unknown;
  executionData?: unknown;
}

/** A run or a branch: what has steps, one after another. */
export abstract class StepSequence {
  readonly #host: Host;
  readonly #execution: Execution;
  readonly #place: Place;
  /** Unknown in a run that was begun by another handle. */
  #lastNumber: number | undefined;

  /** @internal */
  constructor(host: Host, execution: Execution, place: Place, lastNumber: number | undefined) {
    this.#host = host;
    this.#execution = execution;
    this.#place = place;
    this.#lastNumber = lastNumber;
  }

  /** Starts a step. Its record is sent within `flushAfterMs`. */
  async startStep(options: StepOptions): Promise<Step> {
    const step = new Step(this.#host, this.#execution, this.#place, checked(options), this.#lastNumber);
    const accepted = step.start();
    if (step.sequenceNumber !== undefined) this.#lastNumber = Math.max(this.#lastNumber ?? 0, step.sequenceNumber);
    await accepted;
    return step;
  }

  /** Does the work as a step: an error fails it, and is raised on; a normal end completes it. */
  async step<Result>(options: StepOptions, work: (step: Step) => Result | Promise<Result>): Promise<Result> {
    return endedBy(await this.startStep(options), work);
  }

  /** Starts a step whose branches run at the same time. */
  async fork(options: ForkOptions): Promise<Fork> {
    const step = await this.startStep({ ...checked(options), type: FORK_TYPE });
    return new Fork(this.#host, this.#execution, step);
  }
}

/** A step that has been started. */
export class Step {
  /** The id of this run of the step. */
  readonly id: string;
  readonly startTime: string;
  readonly sequenceNumber: number | undefined;

  readonly #host: Host;
  readonly #execution: Execution;
  readonly #given: StepValues;
  #item: Item;
  #end: StepEnd | undefined;

  /** @internal */
  constructor(host: Host, execution: Execution, place: Place, options: StepOptions, lastNumber: number | undefined) {
    this.#host = host;
    this.#execution = execution;
    this.startTime = optional(time, 'startTime', options.startTime) ?? timeOfMs('clock', host.nowMs());
    this.id = optional(id, 'id', options.id) ?? randomUUID();
    const nextNumber = lastNumber === undefined ? undefined : lastNumber + 1;
    this.sequenceNumber = optional(count, 'sequenceNumber', options.sequenceNumber) ?? nextNumber;
    this.#given = { input: options.input, executionData: options.data };
    this.#item = {
      ...attributes({
        ...stepKey(place, this),
        stepInstanceId: this.id,
        stepId: id('stepId', options.stepId),
        stepName: optional(text, 'name', options.name),
        stepType: optional(text, 'type', options.type),
        sequenceNumber: this.sequenceNumber,
        retryCount: optional(count, 'retryCount', options.retryCount),
        status: 'RUNNING',
        startTime: this.startTime,
      }),
      ...place.branch,
    };
  }

  /** Whether the step has not ended. */
  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** @internal */
  start(): Promise<void> {
    const accepted = this.#write({}, this.#given);
    this.#execution.summary.total += 1;
    return accepted;
  }

  async complete(output?: unknown): Promise<void> {
    await this.#endAs('COMPLETED', {}, { output });
  }

  async fail(message: string, output?: unknown): Promise<void> {
    const error = attributes({ errorMessage: errorMessage(message, STEP_ERROR_BYTES) });
    await this.#endAs('FAILED', error, { output });
  }

  async skip(): Promise<void> {
    await this.#endAs('SKIPPED');
  }

  async cancel(): Promise<void> {
    await this.#endAs('CANCELLED');
  }

  /** Sets what else there is to know of the step. */
  async setData(value: unknown): Promise<void> {
    this.#ensureOpen();
    if (value === undefined) throw new InvalidRecord('executionData', 'must be a value that JSON has');
    await this.#write({}, { executionData: value });
  }

  /** Starts a run that is part of this step. */
  async startSubflow(options: SubflowOptions): Promise<Run> {
    this.#ensureOpen();
    const { executionId, teamId } = this.#execution;
    const run = await this.#host.startSubflow({ executionId, teamId, stepInstanceId: this.id }, options);
    await this.#write(attributes({ subflowExecutionId: run.executionId }));
    return run;
  }

  #ensureOpen(): void {
    if (this.#end) throw new StepEnded(this.id, this.#end);
  }

  /** Ending in the same way again changes nothing. */
  async #endAs(status: StepEnd, set: Item = {}, values: StepValues = {}): Promise<void> {
    if (this.#end === status) return;
    this.#ensureOpen();
    const startedAtMs = Date.parse(this.startTime);
    // A clock that was set back ends nothing before it began.
    const endedAtMs = Math.max(startedAtMs, this.#host.nowMs());
    const end = attributes({
      status,
      endTime: timeOfMs('clock', endedAtMs),
      durationMs: endedAtMs - startedAtMs,
    });
    const accepted = this.#write({ ...end, ...set }, values);
    this.#end = status;
    const { summary } = this.#execution;
    if (status === 'COMPLETED') summary.passed += 1;
    if (status === 'FAILED') summary.failed += 1;
    await accepted;
  }

  /** Has the whole record written again, and before it the payloads of values that do not fit in. */
  #write(set: Item, values: StepValues = {}): Promise<void> {
    this.#host.ensureOpen();
    const item = { ...this.#item, ...set };
    const payloads: Item[] = [];
    for (const field of ['input', 'output', 'executionData'] as const) {
      if (values[field] === undefined) continue;
      const stored = this.#host.stored(field, values[field]);
      if ('native' in stored) {
        item[field] = stored.native;
      } else {
        delete item[field];
        payloads.push(...payloadItems(this.#execution.executionId, `step:${this.id}:${field}`, stored));
      }
    }
    const accepted = this.#host.buffer.add([...payloads, item]);
    this.#item = item;
    return accepted;
  }
}

/** A step whose branches run at the same time. */
export class Fork {
  readonly #host: Host;
  readonly #execution: Execution;
  readonly #step: Step;

  /** @internal */
  constructor(host: Host, execution: Execution, step: Step) {
    this.#host = host;
    this.#execution = execution;
    this.#step = step;
  }

  /** The id of this run of the step. */
  get id(): string {
    return this.#step.id;
  }

  /** A branch, by its name in the flow's definition. It writes nothing by itself. */
  branch(branchId: string, branchExecutionId: string = randomUUID()): Branch {
    const ids = [id('branchId', branchId), id('branchExecutionId', branchExecutionId)] as const;
    return new Branch(this.#host, this.#execution, this.#step, ...ids);
  }

  /** All branches have ended. */
  async join(): Promise<void> {
    await this.#step.complete();
  }

  async fail(message: string): Promise<void> {
    await this.#step.fail(message);
  }
}

/** One of the branches of a fork. */
export class Branch extends StepSequence {
  /** @internal */
  constructor(
    host: Host,
    execution: Execution,
    fork: Step,
    readonly branchId: string,
    /** The id of this run of the branch. */
    readonly id: string,
  ) {
    super(host, execution, branchPlace(execution.executionId, fork, branchId, id), 0);
  }
}
