// The writer: it starts runs, and owns the buffer and the table that their records pass through.

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { RecordBuffer } from './buffer.js';
import { IdTaken, InvalidRecord, OtherTeam, RunEnded, WriterClosed } from './errors.js';
import {
  checkRange,
  checkEpochSecond,
  checkId,
  checkLabels,
  checkOptional,
  checkText,
  checkTextOrInteger,
  checkTime,
  formatMs,
} from './fields.js';
import { runAndEnd, type Host, type Parent } from './host.js';
import { checkOptions, type OptionNames } from './options.js';
import { attributes, executionKey, textIn, textMap, type Item } from './records.js';
import { Run, isOpenStatus, readEnd, runPayloads, type RunOptions, type SubflowOptions } from './run.js';
import { Table } from './table.js';
import { encode } from './values.js';

export interface WriterOptions {
  /** The client to write with. The default uses the region and credentials of the environment. */
  client?: DynamoDBClient;
  /** The longest time that a step's record waits to be sent. The default is 200. */
  flushAfterMs?: number;
  /** How many bytes of JSON can wait to be sent; beyond it, steps wait. The default is 8 MiB. */
  maxBufferedBytes?: number;
  /** The longest JSON text of a value inside a step's own record. The default is 8,192 bytes. */
  inlinePayloadBytes?: number;
  /** How long a call waits for a table that does not answer. The default is 60,000. */
  writeTimeoutMs?: number;
  /** Returns milliseconds since 1970. For tests. */
  clock?: () => number;
}

const FLUSH_AFTER_MS = 200;
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
const INLINE_PAYLOAD_BYTES = 8_192;
const WRITE_TIMEOUT_MS = 60_000;

/** With this limit, three values of a step and its error fit into an item of 400 KB. */
const MOST_INLINE_PAYLOAD_BYTES = 65_536;

/** The longest timer of Node.js. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const WRITER_OPTIONS: OptionNames<WriterOptions> = {
  client: true,
  flushAfterMs: true,
  maxBufferedBytes: true,
  inlinePayloadBytes: true,
  writeTimeoutMs: true,
  clock: true,
};

const SUBFLOW_OPTIONS: OptionNames<SubflowOptions> = {
  flowId: true,
  executionId: true,
  createdAt: true,
  flowName: true,
  flowVersion: true,
  deviceId: true,
  trigger: true,
  labels: true,
  timeoutAt: true,
  expiresAt: true,
  input: true,
};

const RUN_OPTIONS: OptionNames<RunOptions> = { ...SUBFLOW_OPTIONS, teamId: true };

interface Settings {
  readonly client: DynamoDBClient | undefined;
  readonly flushAfterMs: number;
  readonly maxBufferedBytes: number;
  readonly inlinePayloadBytes: number;
  readonly writeTimeoutMs: number;
  readonly clock: () => number;
}

function parseSettings(options: WriterOptions): Settings {
  const {
    client,
    flushAfterMs = FLUSH_AFTER_MS,
    maxBufferedBytes = MAX_BUFFERED_BYTES,
    inlinePayloadBytes = INLINE_PAYLOAD_BYTES,
    writeTimeoutMs = WRITE_TIMEOUT_MS,
    clock = Date.now,
  } = checkOptions(options, WRITER_OPTIONS);
  if (client !== undefined && typeof client?.send !== 'function') {
    throw new InvalidRecord('client', 'must be a DynamoDBClient');
  }
  if (typeof clock !== 'function') throw new InvalidRecord('clock', 'must be a function');
  return {
    client,
    flushAfterMs: checkRange('flushAfterMs', flushAfterMs, 0, LONGEST_TIMER_MS),
    maxBufferedBytes: checkRange('maxBufferedBytes', maxBufferedBytes, 1, Number.MAX_SAFE_INTEGER),
    inlinePayloadBytes: checkRange('inlinePayloadBytes', inlinePayloadBytes, 0, MOST_INLINE_PAYLOAD_BYTES),
    writeTimeoutMs: checkRange('writeTimeoutMs', writeTimeoutMs, 1, LONGEST_TIMER_MS),
    clock,
  };
}

/** Checks the attributes of a run's record, except its times, status and labels. */
function parseExecution(options: RunOptions, parent: Parent | undefined) {
  return {
    executionId: checkOptional(checkId, 'executionId', options.executionId) ?? randomUUID(),
    teamId: parent?.teamId ?? checkOptional(checkId, 'teamId', options.teamId) ?? 'default',
    flowId: checkId('flowId', options.flowId),
    flowName: checkOptional(checkText, 'flowName', options.flowName),
    flowVersion: checkOptional(checkTextOrInteger, 'flowVersion', options.flowVersion),
    executionType: parent && 'SUBFLOW',
    parentExecutionId: parent?.executionId,
    parentStepInstanceId: parent?.stepInstanceId,
    deviceId: checkOptional(checkId, 'deviceId', options.deviceId),
    trigger: checkOptional(checkText, 'trigger', options.trigger),
    timeoutAt: checkOptional(checkTime, 'timeoutAt', options.timeoutAt),
    expiresAt: checkOptional(checkEpochSecond, 'expiresAt', options.expiresAt),
  };
}

export class Writer {
  readonly #host: Host;
  readonly #buffer: RecordBuffer;
  readonly #table: Table;
  /** The client, if this writer created it. */
  readonly #ownClient: DynamoDBClient | undefined;
  /** The calls that must finish before the writer is closed. */
  readonly #calls = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** Creates a writer for the table with this name. */
  constructor(table: string, options: WriterOptions = {}) {
    if (typeof table !== 'string' || table === '') throw new InvalidRecord('table', 'must be the name of a table');
    const { client, clock, ...settings } = parseSettings(options);
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
      encode: (field, value) => encode(field, value, settings.inlinePayloadBytes),
      track: (call) => this.#track(call),
      startSubflow: (parent, subflow) => this.#startRun(subflow, parent),
    };
  }

  /**
   * Starts a run: its record is in the table when this call returns. If an open run of the same
   * team and flow has the id, it is resumed.
   */
  async startRun(options: RunOptions): Promise<Run> {
    return this.#startRun(options, undefined);
  }

  /** Runs a function as a run. An error fails the run and is thrown again; otherwise the run completes. */
  async run<Result>(options: RunOptions, work: (run: Run) => Result | Promise<Result>): Promise<Result> {
    return runAndEnd(await this.startRun(options), work);
  }

  /** Resolves when all records that were accepted before are in the table. */
  async flush(): Promise<void> {
    this.#ensureOpen();
    await this.#buffer.flush();
    this.#buffer.reportRefusals();
  }

  /** Flushes, and accepts no more records. */
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

  #track<Result>(call: Promise<Result>): Promise<Result> {
    const forget = () => void this.#calls.delete(call);
    this.#calls.add(call);
    call.then(forget, forget);
    return call;
  }

  async #startRun(options: RunOptions, parent: Parent | undefined): Promise<Run> {
    this.#ensureOpen();
    const execution = parseExecution(checkOptions(options, parent ? SUBFLOW_OPTIONS : RUN_OPTIONS), parent);
    const input = runPayloads(this.#host, execution.executionId, { input: options.input });
    const now = formatMs('clock', this.#host.nowMs());
    const createdAt = checkOptional(checkTime, 'createdAt', options.createdAt) ?? now;
    const record: Item = {
      ...attributes({ ...executionKey(execution.executionId), ...execution }),
      ...attributes({ createdAt, status: 'RUNNING', startTime: now }),
      ...(options.labels !== undefined && { labels: textMap(checkLabels('labels', options.labels)) }),
    };
    const found = await this.#track(this.#table.putNew(record));
    // The existing record may be this one, if the answer to an earlier attempt was lost.
    if (found && !isDeepStrictEqual(found, record)) {
      ensureResumable(execution.executionId, found, record);
      return new Run(this.#host, execution, found, true);
    }
    await this.#buffer.add(input);
    return new Run(this.#host, execution, record, false);
  }
}

/** Throws unless the existing run is open and has the same team and flow. */
function ensureResumable(executionId: string, found: Item, record: Item): void {
  const isSame = (name: string) => textIn(found, name) === textIn(record, name);
  if (!isSame('teamId')) throw new OtherTeam(executionId);
  if (!isSame('flowId')) throw new IdTaken(executionId);
  if (!isOpenStatus(textIn(found, 'status'))) throw new RunEnded(executionId, readEnd(found));
}
