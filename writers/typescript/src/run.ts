// A run: its sign of life, and its end.

import type { Ended } from './errors.js';
import { RUN_ERROR_BYTES, errorMessage, optional, text, timeOfMs, type Time } from './fields.js';
import type { Host, StepSummary } from './host.js';
import { attributes, executionKey, payloadItems, textIn, topLevel, type Item } from './records.js';
import { StepSequence } from './steps.js';
import type { Update } from './table.js';

export interface RunOptions {
  /** The flow's definition. */
  flowId: string;
  /** The tenant; `default` where there is only one. */
  teamId?: string;
  /** The run's own id, for an engine that may start it again; a UUID where there is none. */
  executionId?: string;
  /** When the run was asked for. */
  createdAt?: Time;
  /** The flow's name for people. */
  flowName?: string;
  flowVersion?: string | number;
  /** The device that the run concerns. */
  deviceId?: string;
  /** `WEBHOOK`, `SCHEDULE`, `MANUAL`, `API`, … */
  trigger?: string;
  /** Search keys of your own, such as `orderId`. */
  labels?: Record<string, string>;
  /** Past it, a run that is still open has timed out. */
  timeoutAt?: Time;
  /** The second, since 1970 began, from which the record is gone. */
  expiresAt?: number;
  input?: unknown;
}

/** A sub-flow has the team of the run that starts it. */
export type SubflowOptions = Omit<RunOptions, 'teamId'>;

/** What has become of the end that was written: it stands, or the run had ended before. */
export type Outcome = { readonly written: true } | { readonly written: false; readonly ended: Ended };

type RunEnd = 'COMPLETED' | 'FAILED' | 'CANCELLED';

/** The values that a run may have. */
interface RunValues {
  input?: unknown;
  output?: unknown;
  context?: unknown;
}

/** What a run is known by. */
interface RunIds {
  readonly executionId: string;
  readonly teamId: string;
  readonly flowId: string;
}

type Fields = Record<string, string | number | undefined>;

/** Whether a run of this status has not ended. */
export function isOpenStatus(status: string | undefined): boolean {
  return status === 'PENDING' || status === 'RUNNING';
}

/** How the execution of a record has ended. Without a record, it was deleted. */
export function endedOf(found: Item | undefined): Ended {
  const textOf = (name: string) => (found && textIn(found, name)) ?? null;
  return {
    status: textOf('status') as Ended['status'],
    cancelledBy: textOf('cancelledBy'),
    cancelReason: textOf('cancelReason'),
    endTime: textOf('endTime'),
  };
}

/** The payload items of a run's values. */
export function runPayloads(host: Host, executionId: string, values: RunValues): Item[] {
  return (['input', 'output', 'context'] as const).flatMap((name) => {
    if (values[name] === undefined) return [];
    return payloadItems(executionId, name, host.stored(name, values[name]));
  });
}

/** A run that has been started. */
export class Run extends StepSequence {
  readonly executionId: string;
  readonly teamId: string;
  readonly flowId: string;
  /** As they stand in the run's record. */
  readonly createdAt: string | undefined;
  readonly startTime: string | undefined;

  readonly #host: Host;
  readonly #summary: StepSummary;
  #lastEnded: Ended | null = null;
  #endedAtMs: number | undefined;
  #ending: Promise<Outcome> | undefined;
  #outcome: Outcome | undefined;

  /** @internal */
  constructor(
    host: Host,
    { executionId, teamId, flowId }: RunIds,
    record: Item,
    /** Whether another handle has begun the run. */
    readonly resumed: boolean,
  ) {
    const summary = { total: 0, passed: 0, failed: 0 };
    super(host, { executionId, teamId, summary }, topLevel(executionId), resumed ? undefined : 0);
    this.#host = host;
    this.#summary = summary;
    this.executionId = executionId;
    this.teamId = teamId;
    this.flowId = flowId;
    this.createdAt = textIn(record, 'createdAt');
    this.startTime = textIn(record, 'startTime');
  }

  /** Whether the run has not ended, as far as it is known here. */
  get isOpen(): boolean {
    return !this.#outcome && !this.#lastEnded;
  }

  /** How the run has ended, if a heartbeat or an end of this handle has met that. It asks nobody. */
  ended(): Ended | null {
    return this.#lastEnded;
  }

  /** A sign of life. Returns `null`, or how the run has ended: then stop it. */
  async heartbeat(): Promise<Ended | null> {
    this.#host.ensureOpen();
    return this.#host.tracked(this.#beat());
  }

  async #beat(): Promise<Ended | null> {
    const heartbeatAt = timeOfMs('clock', this.#host.nowMs());
    const update = await this.#update({ heartbeatAt });
    if (update.isOpen) return null;
    return (this.#lastEnded = endedOf(update.found));
  }

  /** Ends the run, after all that the writer accepted before is in the table. */
  async complete(output?: unknown, context?: unknown): Promise<Outcome> {
    return this.#end('COMPLETED', {}, { output, context });
  }

  async fail(message: string, output?: unknown, context?: unknown): Promise<Outcome> {
    const error = { errorMessage: errorMessage(message, RUN_ERROR_BYTES) };
    return this.#end('FAILED', error, { output, context });
  }

  async cancel(by?: string, reason?: string): Promise<Outcome> {
    const who = { cancelledBy: optional(text, 'by', by), cancelReason: optional(text, 'reason', reason) };
    return this.#end('CANCELLED', who, {});
  }

  /** The first end is the one that counts: another returns what became of it. */
  #end(status: RunEnd, set: Fields, values: RunValues): Promise<Outcome> {
    if (this.#outcome) return Promise.resolve(this.#outcome);
    if (this.#ending) return this.#ending;
    this.#host.ensureOpen();
    const payloads = runPayloads(this.#host, this.executionId, values);
    this.#ending = this.#host.tracked(this.#writeEnd(status, set, payloads)).finally(() => {
      this.#ending = undefined;
    });
    return this.#ending;
  }

  async #writeEnd(status: RunEnd, set: Fields, payloads: Item[]): Promise<Outcome> {
    // A clock that was set back ends nothing before it began.
    const startedAtMs = Date.parse(this.startTime ?? '') || 0;
    const endedAtMs = this.#endedAtMs ?? Math.max(startedAtMs, this.#host.nowMs());
    const endTime = timeOfMs('clock', endedAtMs);
    // Kept for a call after one that did not learn its answer: its end may stand.
    this.#endedAtMs = endedAtMs;
    const end = { ...set, status, endTime, durationMs: this.#durationMs(endedAtMs) };
    await this.#host.buffer.flush(payloads);
    const update = await this.#update(end, this.#stepSummary());
    this.#outcome = this.#outcomeOf(update, status, endTime);
    this.#host.buffer.reportRefusals();
    return this.#outcome;
  }

  #update(set: Fields, more: Item = {}): Promise<Update> {
    return this.#host.table.updateOpen(executionKey(this.executionId), { ...attributes(set), ...more });
  }

  #outcomeOf(update: Update, status: RunEnd, endTime: string): Outcome {
    if (update.isOpen) return { written: true };
    const ended = endedOf(update.found);
    // What was found may be this very end, of a write whose answer was lost.
    if (ended.status === status && ended.endTime === endTime) return { written: true };
    this.#lastEnded = ended;
    return { written: false, ended };
  }

  #durationMs(endedAtMs: number): number | undefined {
    const startedAtMs = Date.parse(this.startTime ?? '');
    return Number.isNaN(startedAtMs) ? undefined : Math.max(0, endedAtMs - startedAtMs);
  }

  /** Of a resumed run nobody knows all steps. */
  #stepSummary(): Item {
    if (this.resumed) return {};
    return { stepSummary: { M: attributes({ ...this.#summary }) } };
  }
}
