// Steps, forks and branches.

import { randomUUID } from 'node:crypto';
import { InvalidRecord, StepEnded } from './errors.js';
import { STEP_ERROR_BYTES, checkCount, cutErrorMessage, checkId, checkOptional, checkText, checkTime, formatMs, type Time } from './fields.js';
import { runAndEnd, type Execution, type Host } from './host.js';
import { checkOptions, type OptionNames } from './options.js';
import {
  FORK_TYPE,
  attributes,
  branchPlace,
  nestedPlace,
  payloadItems,
  stepKey,
  type Item,
  type Place,
} from './records.js';
import type { Run, SubflowOptions } from './run.js';

export interface ForkOptions {
  /** The step's id in the flow's definition. */
  stepId: string;
  /** The step's name for people. */
  name?: string;
  input?: unknown;
  /**
   * The step below which the step runs: a step or fork of the same run, or its id. The step is then in no
   * branch.
   */
  parent?: Step | Fork | string;
  /** The id of this run of the step. The default is a UUID. */
  id?: string;
  /** The number of earlier attempts. */
  retryCount?: number;
  /**
   * The step's position in the run, in the branch or below its parent. The default is the next number, if it
   * is known.
   */
  sequenceNumber?: number;
  /** When the step started. The default is now. Id and start identify a step: a step with the same two replaces it. */
  startTime?: Time;
  /** Other data about the step. */
  data?: unknown;
}

export interface StepOptions extends ForkOptions {
  /** The kind of step, in your engine's terms. */
  type?: string;
}

const FORK_OPTIONS: OptionNames<ForkOptions> = {
  stepId: true,
  name: true,
  input: true,
  parent: true,
  id: true,
  retryCount: true,
  sequenceNumber: true,
  startTime: true,
  data: true,
};

const STEP_OPTIONS: OptionNames<StepOptions> = { ...FORK_OPTIONS, type: true };

type StepEnd = 'COMPLETED' | 'FAILED' | 'SKIPPED' | 'CANCELLED';

/** The payloads of a step. */
interface StepValues {
  input?: unknown;
  output?: unknown;
  executionData?: unknown;
}

/** A place of steps, with the numbers of its steps. */
class NumberedPlace {
  constructor(
    readonly place: Place,
    /** `undefined` if unknown: in a resumed run, until the caller passes a number. */
    public lastNumber: number | undefined,
  ) {}

  /** Remembers the number of a started step. */
  add(step: Step): void {
    if (step.sequenceNumber !== undefined) this.lastNumber = Math.max(this.lastNumber ?? 0, step.sequenceNumber);
  }
}

/** A run or a branch: both contain a sequence of steps. */
export abstract class StepSequence {
  readonly #host: Host;
  readonly #execution: Execution;
  readonly #steps: NumberedPlace;

  /** @internal */
  constructor(host: Host, execution: Execution, place: Place, lastNumber: number | undefined) {
    this.#host = host;
    this.#execution = execution;
    this.#steps = new NumberedPlace(place, lastNumber);
  }

  /** Starts a step. Its record is sent within `flushAfterMs`. */
  async startStep(options: StepOptions): Promise<Step> {
    const { parent, ...given } = checkOptions(options, STEP_OPTIONS);
    const steps = parent === undefined ? this.#steps : this.#below(parent);
    const step = new Step(this.#host, this.#execution, steps.place, given, steps.lastNumber);
    const accepted = step.start();
    steps.add(step);
    await accepted;
    return step;
  }

  /** The place of the steps below a step of this run. */
  #below(parent: Step | Fork | string): NumberedPlace {
    const { executionId } = this.#execution;
    if (parent instanceof Step || parent instanceof Fork) {
      const steps = parent.nested;
      if (steps.place.executionId === executionId) return steps;
      throw new InvalidRecord('parent', 'must be a step of the same run');
    }
    // The number of steps below a step of which only the id is given is unknown.
    return new NumberedPlace(nestedPlace(executionId, checkId('parent', parent)), undefined);
  }

  /** Runs a function as a step. An error fails the step and is thrown again; otherwise the step completes. */
  async step<Result>(options: StepOptions, work: (step: Step) => Result | Promise<Result>): Promise<Result> {
    return runAndEnd(await this.startStep(options), work);
  }

  /** Starts a step whose branches run at the same time. */
  async fork(options: ForkOptions): Promise<Fork> {
    const step = await this.startStep({ ...checkOptions(options, FORK_OPTIONS), type: FORK_TYPE });
    return new Fork(this.#host, this.#execution, step);
  }
}

/** A started step. */
export class Step {
  /** The id of this run of the step. */
  readonly id: string;
  readonly startTime: string;
  readonly sequenceNumber: number | undefined;

  readonly #host: Host;
  readonly #execution: Execution;
  readonly #given: StepValues;
  /** @internal The steps below this one. */
  readonly nested: NumberedPlace;
  #item: Item;
  #end: StepEnd | undefined;

  /** @internal */
  constructor(host: Host, execution: Execution, place: Place, options: Omit<StepOptions, 'parent'>, lastNumber: number | undefined) {
    this.#host = host;
    this.#execution = execution;
    this.startTime = checkOptional(checkTime, 'startTime', options.startTime) ?? formatMs('clock', host.nowMs());
    this.id = checkOptional(checkId, 'id', options.id) ?? randomUUID();
    const nextNumber = lastNumber === undefined ? undefined : lastNumber + 1;
    this.sequenceNumber = checkOptional(checkCount, 'sequenceNumber', options.sequenceNumber) ?? nextNumber;
    this.nested = new NumberedPlace(nestedPlace(execution.executionId, this.id), 0);
    this.#given = { input: options.input, executionData: options.data };
    this.#item = {
      ...attributes({
        ...stepKey(place, this),
        stepInstanceId: this.id,
        stepId: checkId('stepId', options.stepId),
        stepName: checkOptional(checkText, 'name', options.name),
        stepType: checkOptional(checkText, 'type', options.type),
        sequenceNumber: this.sequenceNumber,
        retryCount: checkOptional(checkCount, 'retryCount', options.retryCount),
        status: 'RUNNING',
        startTime: this.startTime,
      }),
      ...place.own,
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
    const error = attributes({ errorMessage: cutErrorMessage(message, STEP_ERROR_BYTES) });
    await this.#endAs('FAILED', error, { output });
  }

  async skip(): Promise<void> {
    await this.#endAs('SKIPPED');
  }

  async cancel(): Promise<void> {
    await this.#endAs('CANCELLED');
  }

  /** Sets other data about the step. */
  async setData(value: unknown): Promise<void> {
    this.#ensureOpen();
    if (value === undefined) throw new InvalidRecord('executionData', 'must be a value that JSON can represent');
    await this.#write({}, { executionData: value });
  }

  /** Starts a run as a part of this step. */
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

  /** Ending a step again with the same status changes nothing. */
  async #endAs(status: StepEnd, set: Item = {}, values: StepValues = {}): Promise<void> {
    if (this.#end === status) return;
    this.#ensureOpen();
    const startedAtMs = Date.parse(this.startTime);
    // If the clock was set back, the end is still not before the start.
    const endedAtMs = Math.max(startedAtMs, this.#host.nowMs());
    const end = attributes({
      status,
      endTime: formatMs('clock', endedAtMs),
      durationMs: endedAtMs - startedAtMs,
    });
    const accepted = this.#write({ ...end, ...set }, values);
    this.#end = status;
    const { summary } = this.#execution;
    if (status === 'COMPLETED') summary.passed += 1;
    if (status === 'FAILED') summary.failed += 1;
    await accepted;
  }

  /** Buffers the whole record again, after the payloads that do not fit into it. */
  #write(set: Item, values: StepValues = {}): Promise<void> {
    this.#host.ensureOpen();
    const item = { ...this.#item, ...set };
    const payloads: Item[] = [];
    for (const field of ['input', 'output', 'executionData'] as const) {
      if (values[field] === undefined) continue;
      const encoded = this.#host.encode(field, values[field]);
      if ('native' in encoded) {
        item[field] = encoded.native;
      } else {
        delete item[field];
        payloads.push(...payloadItems(this.#execution.executionId, `step:${this.id}:${field}`, encoded));
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

  /** @internal The steps below the fork, besides those of its branches. */
  get nested(): NumberedPlace {
    return this.#step.nested;
  }

  /** Returns a branch, by its name in the flow's definition. Only its steps write records. */
  branch(branchId: string, branchExecutionId: string = randomUUID()): Branch {
    const ids = [checkId('branchId', branchId), checkId('branchExecutionId', branchExecutionId)] as const;
    return new Branch(this.#host, this.#execution, this.#step, ...ids);
  }

  /** Completes the fork. Call it when all branches have ended. */
  async join(): Promise<void> {
    await this.#step.complete();
  }

  async fail(message: string): Promise<void> {
    await this.#step.fail(message);
  }
}

/** A branch of a fork. */
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
