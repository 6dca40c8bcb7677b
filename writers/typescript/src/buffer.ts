// The records that wait to be written. Only the newest record of each key waits, so a short step
// is written once.

import { RecordRefused, Unavailable, WriterClosed, type Refusal } from './errors.js';
import { keyOf, type Item, type Key } from './records.js';
import { isRefusal, pauseAfter, within, type Table } from './table.js';

/** DynamoDB's limit for a batch. */
const MAX_BATCH_ITEMS = 25;

/** DynamoDB accepts 16 MB in a request; the sizes here are estimates. */
const MAX_BATCH_BYTES = 12_000_000;

/** Batches in flight at the same time: with only one, the latency would limit the throughput. */
const MAX_BATCHES = 4;

/** A record and its estimated size in a request. */
interface Weighed {
  readonly item: Item;
  readonly bytes: number;
}

/** An accepted record. */
interface Version extends Weighed {
  /** The position in the order of acceptance. A replacing record keeps the position of the replaced one. */
  readonly number: number;
  /** When it, or the record that it replaced, was accepted. */
  readonly arrivedAt: number;
}

/** The records to write under one key. */
interface Slot {
  current: Version;
  /** The record that arrived while `current` was in flight. It waits, so that the older one is not written last. */
  newer: Version | undefined;
  isInFlight: boolean;
  /** Whether a batch with it was refused, so that it is sent alone. */
  isSuspect: boolean;
}

/** Records that wait until the buffer has room for them. */
interface Admission {
  readonly records: readonly Weighed[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A flush: it ends when all records up to this number are written. */
interface Flush {
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class RecordBuffer {
  readonly #table: Table;
  readonly #flushAfterMs: number;
  readonly #maxBytes: number;
  readonly #writeTimeoutMs: number;

  /** By key, in the order of arrival. */
  readonly #slots = new Map<string, Slot>();
  readonly #admissions: Admission[] = [];
  #flushes: Flush[] = [];
  #refusals: Refusal[] = [];

  /** The size of all records that are not written yet, waiting or in flight. */
  #bytes = 0;
  #accepted = 0;
  #batches = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** The number of consecutive failures, and the time until which nothing is sent because of them. */
  #failures = 0;
  #resumeAt = 0;
  #lastFailure: unknown;
  #lastSuccessAt = 0;

  constructor(table: Table, flushAfterMs: number, maxBytes: number, writeTimeoutMs: number) {
    this.#table = table;
    this.#flushAfterMs = flushAfterMs;
    this.#maxBytes = maxBytes;
    this.#writeTimeoutMs = writeTimeoutMs;
  }

  /** Accepts records together. Resolves when the buffer has room for them. */
  add(items: readonly Item[]): Promise<void> {
    if (this.#isStopped) throw new WriterClosed();
    const records = items.map((item) => ({ item, bytes: bytesOf(item) }));
    const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
    if (this.#admissions.length === 0 && this.#hasRoomFor(bytes)) {
      this.#accept(records);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      this.#admissions.push({ records, bytes, resolve, reject });
      this.#sendDueBatches();
    });
  }

  /**
   * Resolves when `last` and all records that were added before are written or refused. Rejects
   * if the table has accepted nothing for the timeout, counted from `since` at the earliest.
   */
  flush(last: readonly Item[] = [], since: number = performance.now()): Promise<void> {
    const deadline = () => Math.max(since, this.#lastSuccessAt) + this.#writeTimeoutMs;
    return within(this.#written(last), deadline, () => this.#unavailable());
  }

  async #written(last: readonly Item[]): Promise<void> {
    await this.add(last);
    const upTo = this.#accepted;
    if (this.#isWritten(upTo)) return;
    await new Promise<void>((resolve, reject) => {
      this.#flushes.push({ upTo, resolve, reject });
      this.#sendDueBatches();
    });
  }

  /** Throws if records were refused since the last call. */
  reportRefusals(): void {
    if (this.#refusals.length === 0) return;
    const refusals = this.#refusals;
    this.#refusals = [];
    throw new RecordRefused(refusals);
  }

  /** Discards the records that are not written. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const lost = this.#unavailable();
    for (const flush of this.#flushes.splice(0)) flush.reject(lost);
    for (const admission of this.#admissions.splice(0)) admission.reject(new WriterClosed());
    this.#slots.clear();
  }

  #unavailable(): Unavailable {
    const message = `the table did not accept ${this.#slots.size} records in time`;
    return new Unavailable(message, { cause: this.#lastFailure });
  }

  // ---- Accepting

  /** Records that are larger than the buffer are accepted alone. */
  #hasRoomFor(bytes: number): boolean {
    return this.#slots.size === 0 || this.#bytes + bytes <= this.#maxBytes;
  }

  #admit(): void {
    for (;;) {
      const [first] = this.#admissions;
      if (!first || !this.#hasRoomFor(first.bytes)) return;
      this.#admissions.shift();
      this.#accept(first.records);
      first.resolve();
    }
  }

  #accept(records: readonly Weighed[]): void {
    const arrivedAt = performance.now();
    for (const record of records) {
      this.#accepted += 1;
      this.#put({ ...record, number: this.#accepted, arrivedAt });
    }
    this.#sendDueBatches();
  }

  #put(version: Version): void {
    const name = nameOf(keyOf(version.item));
    const slot = this.#slots.get(name);
    this.#bytes += version.bytes;
    if (!slot) {
      this.#slots.set(name, { current: version, newer: undefined, isInFlight: false, isSuspect: false });
    } else if (slot.isInFlight) {
      slot.newer = slot.newer ? this.#replaced(slot.newer, version) : version;
    } else {
      slot.current = this.#replaced(slot.current, version);
      slot.isSuspect = false;
    }
  }

  /** The newer record with the position of the older one, which is not written any more. */
  #replaced(older: Version, newer: Version): Version {
    this.#bytes -= older.bytes;
    return { ...newer, number: older.number, arrivedAt: older.arrivedAt };
  }

  // ---- Sending

  /** Sends the batches that are due, and sets a timer for the next one. */
  #sendDueBatches(): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    const now = performance.now();
    if (now < this.#resumeAt) {
      this.#wakeIn(this.#resumeAt - now);
      return;
    }
    while (this.#batches < MAX_BATCHES) {
      const { slots, dueAt } = this.#nextBatch();
      if (slots.length === 0) return;
      if (dueAt > now) {
        this.#wakeIn(dueAt - now);
        return;
      }
      void this.#send(slots);
    }
  }

  /** The timer keeps the process alive only while callers wait for room. A flush has its own timer. */
  #wakeIn(ms: number): void {
    this.#timer = setTimeout(() => this.#sendDueBatches(), Math.ceil(ms));
    if (this.#admissions.length === 0) this.#timer.unref();
  }

  /** The oldest records that are not in flight, and when they are due. */
  #nextBatch(): { slots: Slot[]; dueAt: number } {
    const slots: Slot[] = [];
    let bytes = 0;
    let dueAt = this.#admissions.length > 0 ? 0 : Infinity;
    for (const slot of this.#slots.values()) {
      if (slot.isInFlight) continue;
      if (slot.isSuspect) return { slots: [slot], dueAt: 0 };
      bytes += slot.current.bytes;
      if (slots.length > 0 && bytes > MAX_BATCH_BYTES) return { slots, dueAt: 0 };
      slots.push(slot);
      if (slots.length === MAX_BATCH_ITEMS) return { slots, dueAt: 0 };
      dueAt = Math.min(dueAt, this.#dueAt(slot.current));
    }
    return { slots, dueAt };
  }

  #dueAt({ number, arrivedAt }: Version): number {
    const isFlushed = this.#flushes.some(({ upTo }) => number <= upTo);
    return isFlushed ? 0 : arrivedAt + this.#flushAfterMs;
  }

  /** Never rejects, because no caller awaits it. */
  async #send(slots: readonly Slot[]): Promise<void> {
    this.#batches += 1;
    for (const slot of slots) slot.isInFlight = true;
    try {
      const unwritten = await this.#table.putBatch(slots.map((slot) => slot.current.item));
      this.#answered(slots, unwritten);
    } catch (error) {
      this.#failed(slots, error);
    }
    this.#batches -= 1;
    if (this.#isStopped) return;
    this.#admit();
    this.#endFlushes();
    this.#sendDueBatches();
  }

  #answered(slots: readonly Slot[], unwritten: readonly Key[]): void {
    const left = new Set(unwritten.map(nameOf));
    for (const slot of slots) {
      const isLeft = left.has(nameOf(keyOf(slot.current.item)));
      if (isLeft) this.#keep(slot);
      else this.#settle(slot);
    }
    if (left.size < slots.length) this.#lastSuccessAt = performance.now();
    if (left.size === 0) this.#failures = 0;
    else this.#pause(new Error('the table left items unprocessed'));
  }

  #failed(slots: readonly Slot[], error: unknown): void {
    const [first] = slots;
    if (!isRefusal(error)) {
      for (const slot of slots) this.#keep(slot);
      this.#pause(error);
    } else if (first && slots.length === 1) {
      this.#refuse(first.current.item, error.message);
      this.#settle(first);
    } else {
      for (const slot of slots) {
        slot.isSuspect = true;
        this.#keep(slot);
      }
    }
  }

  #refuse(item: Item, message: string): void {
    const refusal = { ...keyOf(item), message };
    this.#refusals.push(refusal);
    process.emitWarning(`the table refused ${refusal.pk} ${refusal.sk}, and it was dropped: ${message}`, 'FlowtrailWriter');
  }

  /** Batches that fail during a pause do not make it longer. */
  #pause(error: unknown): void {
    this.#lastFailure = error;
    const now = performance.now();
    if (now < this.#resumeAt) return;
    this.#resumeAt = now + pauseAfter(this.#failures);
    this.#failures += 1;
  }

  /** Makes a record wait again after a failure. A newer record replaces it. */
  #keep(slot: Slot): void {
    slot.isInFlight = false;
    if (!slot.newer) return;
    slot.current = this.#replaced(slot.current, slot.newer);
    slot.newer = undefined;
    slot.isSuspect = false;
  }

  /** Removes a written or refused record. A newer record of its key is queued last, so that it does not delay the others. */
  #settle(slot: Slot): void {
    const name = nameOf(keyOf(slot.current.item));
    this.#bytes -= slot.current.bytes;
    this.#slots.delete(name);
    if (slot.newer) {
      this.#slots.set(name, { current: slot.newer, newer: undefined, isInFlight: false, isSuspect: false });
    }
  }

  #endFlushes(): void {
    if (this.#flushes.length === 0) return;
    const oldest = this.#oldest();
    const isDone = (flush: Flush) => flush.upTo < oldest;
    const done = this.#flushes.filter(isDone);
    this.#flushes = this.#flushes.filter((flush) => !isDone(flush));
    for (const flush of done) flush.resolve();
  }

  #isWritten(upTo: number): boolean {
    return upTo < this.#oldest();
  }

  /** The number of the oldest unwritten record. */
  #oldest(): number {
    let oldest = Infinity;
    for (const { current } of this.#slots.values()) oldest = Math.min(oldest, current.number);
    return oldest;
  }
}

function nameOf({ pk, sk }: Key): string {
  return `${pk}\n${sk}`;
}

/** The approximate size of a record in a request, where binary values are in base64. */
function bytesOf(item: Item): number {
  const { bytes, ...others } = item;
  return Buffer.byteLength(JSON.stringify(others)) + Math.ceil(((bytes?.B?.length ?? 0) * 4) / 3);
}
