// A run: its heartbeats and its end.

import { OtherTeam, type Ended } from './errors.js';
import { RUN_ERROR_BYTES, cutErrorMessage, checkOptional, checkText, formatMs, type Time } from './fields.js';
import type { Host, StepSummary } from './host.js';
import { attributes, executionKey, payloadItems, textIn, topLevel, type Item } from './records.js';
import { StepSequence } from './steps.js';
import type { Update } from './table.js';

export interface RunOptions {
  /** The flow's definition. */
  flowId: string;
  /** The tenant. The default is `default`. */
  teamId?: string;
  /**
   * The run's id, unique across all flows and teams of the table. The default is a UUID. Set it if
   * the engine may start the run again.
   */
  executionId?: string;
  /** When the run was requested. The default is now. */
  createdAt?: Time;
  /** The flow's name for people. */
  flowName?: string;
  flowVersion?: string | number;
  /** The device that the run concerns. */
  deviceId?: string;
  /** `WEBHOOK`, `SCHEDULE`, `MANUAL`, `API`, … */
  trigger?: string;
  /** Your search keys, such as `orderId`. */
  labels?: Record<string, string>;
  /** When the run times out, if it is still open. */
  timeoutAt?: Time;
  /** The second since 1970 from which the run is hidden. */
  expiresAt?: number;
  input?: unknown;
}

/** A sub-flow has the team of the run that starts it. */
export type SubflowOptions = Omit<RunOptions, 'teamId'>;

/** The result of ending a run: the end was written, or the run had ended before. */
export type Outcome = { readonly written: true } | { readonly written: false; readonly ended: Ended };

type RunEnd = 'COMPLETED' | 'FAILED' | 'CANCELLED';

/** The payloads of a run. */
interface RunValues {
  input?: unknown;
  output?: unknown;
  context?: unknown;
}

/** The ids of a run. */
interface RunIds {
  readonly executionId: string;
  readonly teamId: string;
  readonly flowId: string;
}

type Fields = Record<string, string | number | undefined>;

/** Whether a run with this status has not ended. */
export function isOpenStatus(status: string | undefined): boolean {
  return status === 'PENDING' || status === 'RUNNING';
}

/** Reads from a run's record how it ended. Without a record, the run was deleted. */
export function readEnd(found: Item | undefined): Ended {
  const textOf = (name: string) => (found && textIn(found, name)) ?? null;
  return {
    status: textOf('status') as Ended['status'],
    cancelledBy: textOf('cancelledBy'),
    cancelReason: textOf('cancelReason'),
    endTime: textOf('endTime'),
  };
}

/** Builds the payload items of a run. */
export function runPayloads(host: Host, executionId: string, values: RunValues): Item[] {
  return (['input', 'output', 'context'] as const).flatMap((name) => {
    if (values[name] === undefined) return [];
    return payloadItems(executionId, name, host.encode(name, values[name]));
  });
}

/** A started run. */
export class Run extends StepSequence {
  readonly executionId: string;
  readonly teamId: string;
  readonly flowId: string;
  /** From the run's record. */
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
    /** Whether the run existed before and is continued. */
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

  /** Whether the run has not ended, as far as this object knows. */
  get isOpen(): boolean {
    return !this.#outcome && !this.#lastEnded;
  }

  /** How another process ended the run, as far as this object knows. Sends no request. */
  ended(): Ended | null {
    return this.#lastEnded;
  }

  /**
   * Writes a heartbeat. Returns `null`, or how another process has ended the run: then stop. A deleted
   * run has the status `null`. Throws `OtherTeam` if another team has reused the run's id.
   */
  async heartbeat(): Promise<Ended | null> {
    this.#host.ensureOpen();
    return this.#host.track(this.#writeHeartbeat());
  }

  async #writeHeartbeat(): Promise<Ended | null> {
    const heartbeatAt = formatMs('clock', this.#host.nowMs());
    const update = await this.#update({ heartbeatAt });
    if (update.isOpen) return null;
    return (this.#lastEnded = readEnd(update.found));
  }

  /** Completes the run, after all records that the writer accepted before are in the table. */
  async complete(output?: unknown, context?: unknown): Promise<Outcome> {
    return this.#end('COMPLETED', {}, { output, context });
  }

  async fail(message: string, output?: unknown, context?: unknown): Promise<Outcome> {
    const error = { errorMessage: cutErrorMessage(message, RUN_ERROR_BYTES) };
    return this.#end('FAILED', error, { output, context });
  }

  async cancel(by?: string, reason?: string): Promise<Outcome> {
    const who = { cancelledBy: checkOptional(checkText, 'by', by), cancelReason: checkOptional(checkText, 'reason', reason) };
    return this.#end('CANCELLED', who, {});
  }

  /** The first end counts. Later calls return its result. */
  #end(status: RunEnd, set: Fields, values: RunValues): Promise<Outcome> {
    if (this.#outcome) return Promise.resolve(this.#outcome);
    if (this.#ending) return this.#ending;
    this.#host.ensureOpen();
    const payloads = runPayloads(this.#host, this.executionId, values);
    this.#ending = this.#host.track(this.#writeEnd(status, set, payloads)).finally(() => {
      this.#ending = undefined;
    });
    return this.#ending;
  }

  async #writeEnd(status: RunEnd, set: Fields, payloads: Item[]): Promise<Outcome> {
    // If the clock was set back, the end is still not before the start.
    const startedAtMs = Date.parse(this.startTime ?? '') || 0;
    const endedAtMs = this.#endedAtMs ?? Math.max(startedAtMs, this.#host.nowMs());
    const endTime = formatMs('clock', endedAtMs);
    // If the answer is lost, the end may be written. The next call uses the same time to recognize it.
    this.#endedAtMs = endedAtMs;
    const end = { ...set, status, endTime, durationMs: this.#durationMs(endedAtMs) };
    await this.#host.buffer.flush(payloads);
    const update = await this.#update(end, this.#stepSummary());
    this.#outcome = this.#parseOutcome(update, status, endTime);
    this.#host.buffer.reportRefusals();
    return this.#outcome;
  }

  async #update(set: Fields, more: Item = {}): Promise<Update> {
    const { executionId, teamId } = this;
    const update = await this.#host.table.updateOpen(executionKey(executionId), teamId, {
      ...attributes(set),
      ...more,
    });
    if (!update.isOpen && update.found && textIn(update.found, 'teamId') !== teamId) throw new OtherTeam(executionId);
    return update;
  }

  #parseOutcome(update: Update, status: RunEnd, endTime: string): Outcome {
    if (update.isOpen) return { written: true };
    const ended = readEnd(update.found);
    // The existing end may be this one, if the answer to an earlier attempt was lost.
    if (ended.status === status && ended.endTime === endTime) return { written: true };
    this.#lastEnded = ended;
    return { written: false, ended };
  }

  #durationMs(endedAtMs: number): number | undefined {
    const startedAtMs = Date.parse(this.startTime ?? '');
    return Number.isNaN(startedAtMs) ? undefined : Math.max(0, endedAtMs - startedAtMs);
  }

  /** A resumed run has no summary, because its earlier steps are unknown. */
  #stepSummary(): Item {
    if (this.resumed) return {};
    return { stepSummary: { M: attributes({ ...this.#summary }) } };
  }
}
