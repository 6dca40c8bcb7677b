// The writer: one for a process. It starts runs, and owns what their records go through.

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { RecordBuffer } from './buffer.js';
import { IdTaken, InvalidRecord, RunEnded, WriterClosed } from './errors.js';
import {
  bounded,
  epochSecond,
  id,
  labels,
  optional,
  options as checked,
  text,
  textOrInteger,
  time,
  timeOfMs,
} from './fields.js';
import { endedBy, type Host, type Parent } from './host.js';
import { attributes, executionKey, textIn, textMap, type Item } from './records.js';
import { Run, endedOf, isOpenStatus, runPayloads, type RunOptions } from './run.js';
import { Table } from './table.js';
import { stored } from './values.js';

export interface WriterOptions {
  /** The client to write with; one of the environment's region and credentials where there is none. */
  client?: DynamoDBClient;
  /** The longest that a step's record waits to be sent: 200 where nothing else is said. */
  flushAfterMs?: number;
  /** How much waits to be sent before steps wait for room, as JSON: 8 MiB. */
  maxBufferedBytes?: number;
  /** The longest JSON text of a value that lies in a record itself: 8,192 bytes. */
  inlinePayloadBytes?: number;
  /** How long a call waits for a table that does not answer: 60,000. */
  writeTimeoutMs?: number;
  /** Returns milliseconds since 1970. For tests. */
  clock?: () => number;
}

const FLUSH_AFTER_MS = 200;
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
const INLINE_PAYLOAD_BYTES = 8_192;
const WRITE_TIMEOUT_MS = 60_000;

/** Three values of a step, and its error, fit into an item of 400 KB with this. */
const MOST_INLINE_PAYLOAD_BYTES = 65_536;

/** The longest time of a timer of Node. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Settings {
  readonly client: DynamoDBClient | undefined;
  readonly flushAfterMs: number;
  readonly maxBufferedBytes: number;
  readonly inlinePayloadBytes: number;
  readonly writeTimeoutMs: number;
  readonly clock: () => number;
}

function settingsOf(options: WriterOptions): Settings {
  const {
    client,
    flushAfterMs = FLUSH_AFTER_MS,
    maxBufferedBytes = MAX_BUFFERED_BYTES,
    inlinePayloadBytes = INLINE_PAYLOAD_BYTES,
    writeTimeoutMs = WRITE_TIMEOUT_MS,
    clock = Date.now,
  } = checked(options);
  if (client !== undefined && typeof client?.send !== 'function') {
    throw new InvalidRecord('client', 'must be a DynamoDBClient');
  }
  if (typeof clock !== 'function') throw new InvalidRecord('clock', 'must be a function');
  return {
    client,
    flushAfterMs: bounded('flushAfterMs', flushAfterMs, 0, LONGEST_TIMER_MS),
    maxBufferedBytes: bounded('maxBufferedBytes', maxBufferedBytes, 1, Number.MAX_SAFE_INTEGER),
    inlinePayloadBytes: bounded('inlinePayloadBytes', inlinePayloadBytes, 0, MOST_INLINE_PAYLOAD_BYTES),
    writeTimeoutMs: bounded('writeTimeoutMs', writeTimeoutMs, 1, LONGEST_TIMER_MS),
    clock,
  };
}

/** What a run's record has, beside its times and status. */
function executionOf(options: RunOptions, parent: Parent | undefined) {
  return {
    executionId: optional(id, 'executionId', options.executionId) ?? randomUUID(),
    teamId: parent?.teamId ?? optional(id, 'teamId', options.teamId) ?? 'default',
    flowId: id('flowId', options.flowId),
    flowName: optional(text, 'flowName', options.flowName),
    flowVersion: optional(textOrInteger, 'flowVersion', options.flowVersion),
    executionType: parent && 'SUBFLOW',
    parentExecutionId: parent?.executionId,
    parentStepInstanceId: parent?.stepInstanceId,
    deviceId: optional(id, 'deviceId', options.deviceId),
    trigger: optional(text, 'trigger', options.trigger),
    timeoutAt: optional(time, 'timeoutAt', options.timeoutAt),
    expiresAt: optional(epochSecond, 'expiresAt', options.expiresAt),
  };
}

export class Writer {
  readonly #host: Host;
  readonly #buffer: RecordBuffer;
  readonly #table: Table;
  /** The client, if it is this writer's own. */
  readonly #ownClient: DynamoDBClient | undefined;
  /** What has to be answered before the writer is closed. */
  readonly #calls = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** A writer for the table of this name. */
  constructor(table: string, options: WriterOptions = {}) {
    if (typeof table !== 'string' || table === '') throw new InvalidRecord('table', 'must be the name of a table');
    const { client, clock, ...settings } = settingsOf(options);
    const ownClient = client ? undefined : new DynamoDBClient({});
    this.#ownClient = ownClient;
    this.#table = new Table((client ?? ownClient)!, table, settings.writeTimeoutMs);
    const { flushAfterMs, maxBufferedBytes, writeTimeoutMs } = settings;
    this.#buffer = new RecordBuffer(this.#table, flushAfterMs, maxBufferedBytes, writeTimeoutMs);
    this.#host = {
      buffer: this.#buffer,
      table: this.#table,
      ensureOpen: () => this.#ensureOpen(),
      nowMs: () => Math.floor(clock()),
      stored: (field, value) => stored(field, value, settings.inlinePayloadBytes),
      tracked: (call) => this.#tracked(call),
      startSubflow: (parent, subflow) => this.#startRun(subflow, parent),
    };
  }

  /**
   * Starts a run: its record is in the table when this returns. A run of this id that is open,
   * of the same team and flow, is resumed.
   */
  async startRun(options: RunOptions): Promise<Run> {
    return this.#startRun(options, undefined);
  }

  /** Does the work as a run: an error fails it, and is raised on; a normal end completes it. */
  async run<Result>(options: RunOptions, work: (run: Run) => Result | Promise<Result>): Promise<Result> {
    return endedBy(await this.startRun(options), work);
  }

  /** Resolves when all that was accepted before is in the table. */
  async flush(): Promise<void> {
    this.#ensureOpen();
    await this.#buffer.flush();
    this.#buffer.reportRefusals();
  }

  /** Flushes. After it nothing is written any more. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const since = performance.now();
    try {
      await Promise.allSettled(this.#calls);
      await this.#buffer.flush([], since);
    } finally {
      this.#buffer.stop();
      this.#ownClient?.destroy();
    }
    this.#buffer.reportRefusals();
  }

  #ensureOpen(): void {
    if (this.#closing) throw new WriterClosed();
  }

  #tracked<Result>(call: Promise<Result>): Promise<Result> {
    const forget = () => void this.#calls.delete(call);
    this.#calls.add(call);
    call.then(forget, forget);
    return call;
  }

  async #startRun(options: RunOptions, parent: Parent | undefined): Promise<Run> {
    this.#ensureOpen();
    const execution = executionOf(checked(options), parent);
    const input = runPayloads(this.#host, execution.executionId, { input: options.input });
    const now = timeOfMs('clock', this.#host.nowMs());
    const createdAt = optional(time, 'createdAt', options.createdAt) ?? now;
    const record: Item = {
      ...attributes({ ...executionKey(execution.executionId), ...execution }),
      ...attributes({ createdAt, status: 'RUNNING', startTime: now }),
      ...(options.labels !== undefined && { labels: textMap(labels('labels', options.labels)) }),
    };
    const found = await this.#tracked(this.#table.putNew(record));
    // What was found may be this very record, of a write whose answer was lost.
    if (found && !isDeepStrictEqual(found, record)) {
      ensureResumable(execution.executionId, found, record);
      return new Run(this.#host, execution, found, true);
    }
    await this.#buffer.add(input);
    return new Run(this.#host, execution, record, false);
  }
}

/** A run that is there may be gone on with if it is open, and of the same team and flow. */
function ensureResumable(executionId: string, found: Item, record: Item): void {
  const isSame = ['teamId', 'flowId'].every((name) => textIn(found, name) === textIn(record, name));
  if (!isSame) throw new IdTaken(executionId);
  if (!isOpenStatus(textIn(found, 'status'))) throw new RunEnded(executionId, endedOf(found));
}
