// The records that wait to be written. Of each key only the newest waits, so that a step that
// starts and ends within a moment is one write.

import { RecordRefused, Unavailable, WriterClosed, type Refusal } from './errors.js';
import { keyOf, type Item, type Key } from './records.js';
import { isRefusal, pauseAfter, within, type Table } from './table.js';

/** What DynamoDB takes in one batch. */
const MAX_BATCH_ITEMS = 25;

/** It takes 16 MB in one request; the sizes here are estimates. */
const MAX_BATCH_BYTES = 12_000_000;

/** Batches on their way at a time: one at a time would write as many items as the answers' delay allows. */
const MAX_BATCHES = 4;

/** A record and its size. */
interface Weighed {
  readonly item: Item;
  readonly bytes: number;
}

/** A record as it was accepted. */
interface Version extends Weighed {
  /** How many were accepted before; of a record that replaced another, the other's. */
  readonly number: number;
  /** When it came, or what it replaced. */
  readonly arrivedAt: number;
}

/** What is to be written under one key. */
interface Slot {
  current: Version;
  /** What came while `current` was on its way. It waits, lest the older one lands last. */
  newer: Version | undefined;
  isOnTheWay: boolean;
  /** Whether a batch with it was refused, so that it is sent by itself. */
  isSuspect: boolean;
}

/** Records that wait until there is room for them. */
interface Admission {
  readonly records: readonly Weighed[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A flush: it ends when nothing of up to this number is left. */
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

  /** By key, in the order of their arrival. */
  readonly #slots = new Map<string, Slot>();
  readonly #admissions: Admission[] = [];
  #flushes: Flush[] = [];
  #refusals: Refusal[] = [];

  /** Of all that is not written yet, on its way or not. */
  #bytes = 0;
  #accepted = 0;
  #batches = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** Failures without a success between them, and until when nothing is sent because of them. */
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

  /** Accepts records, all at once. Resolves as soon as there is room for them. */
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
      this.#sendWhatIsDue();
    });
  }

  /**
   * Resolves when `last`, and all that was added before, is in the table or was refused. Gives up
   * when the table has taken nothing for the time-out, `since` the flush began.
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
      this.#sendWhatIsDue();
    });
  }

  /** Raises what was refused since it was last asked. */
  reportRefusals(): void {
    if (this.#refusals.length === 0) return;
    const refusals = this.#refusals;
    this.#refusals = [];
    throw new RecordRefused(refusals);
  }

  /** Gives up what is not written. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const lost = this.#unavailable();
    for (const flush of this.#flushes.splice(0)) flush.reject(lost);
    for (const admission of this.#admissions.splice(0)) admission.reject(new WriterClosed());
    this.#slots.clear();
  }

  #unavailable(): Unavailable {
    const message = `the table has not taken ${this.#slots.size} records`;
    return new Unavailable(message, { cause: this.#lastFailure });
  }

  // ---- Accepting

  /** What is larger than the bound is let in by itself. */
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
    this.#sendWhatIsDue();
  }

  #put(version: Version): void {
    const name = nameOf(keyOf(version.item));
    const slot = this.#slots.get(name);
    this.#bytes += version.bytes;
    if (!slot) {
      this.#slots.set(name, { current: version, newer: undefined, isOnTheWay: false, isSuspect: false });
    } else if (slot.isOnTheWay) {
      slot.newer = slot.newer ? this.#replaced(slot.newer, version) : version;
    } else {
      slot.current = this.#replaced(slot.current, version);
      slot.isSuspect = false;
    }
  }

  /** The newer record in the place of the older one, which is written no more. */
  #replaced(older: Version, newer: Version): Version {
    this.#bytes -= older.bytes;
    return { ...newer, number: older.number, arrivedAt: older.arrivedAt };
  }

  // ---- Sending

  /** Sends what has to go now, and sees to it that the rest is thought of in time. */
  #sendWhatIsDue(): void {
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

  /** A timer keeps no process alive, but for those who wait for room. A flush has a timer of its own. */
  #wakeIn(ms: number): void {
    this.#timer = setTimeout(() => this.#sendWhatIsDue(), Math.ceil(ms));
    if (this.#admissions.length === 0) this.#timer.unref();
  }

  /** The oldest records that are not on their way, and when they are to go. */
  #nextBatch(): { slots: Slot[]; dueAt: number } {
    const slots: Slot[] = [];
    let bytes = 0;
    let dueAt = this.#admissions.length > 0 ? 0 : Infinity;
    for (const slot of this.#slots.values()) {
      if (slot.isOnTheWay) continue;
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

  /** Never rejects: nobody would hear of it. */
  async #send(slots: readonly Slot[]): Promise<void> {
    this.#batches += 1;
    for (const slot of slots) slot.isOnTheWay = true;
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
    this.#sendWhatIsDue();
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
    process.emitWarning(`the table refuses ${refusal.pk} ${refusal.sk}: ${message}`, 'FlowtrailWriter');
  }

  /** Batches that fail together are one failure. */
  #pause(error: unknown): void {
    this.#lastFailure = error;
    const now = performance.now();
    if (now < this.#resumeAt) return;
    this.#resumeAt = now + pauseAfter(this.#failures);
    this.#failures += 1;
  }

  /** A record has come back. What came meanwhile takes its place. */
  #keep(slot: Slot): void {
    slot.isOnTheWay = false;
    if (!slot.newer) return;
    slot.current = this.#replaced(slot.current, slot.newer);
    slot.newer = undefined;
    slot.isSuspect = false;
  }

  /** A record is done with. What came meanwhile goes behind the others, lest it holds them up. */
  #settle(slot: Slot): void {
    const name = nameOf(keyOf(slot.current.item));
    this.#bytes -= slot.current.bytes;
    this.#slots.delete(name);
    if (slot.newer) {
      this.#slots.set(name, { current: slot.newer, newer: undefined, isOnTheWay: false, isSuspect: false });
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

  /** The number of the oldest record that is not written. */
  #oldest(): number {
    let oldest = Infinity;
    for (const { current } of this.#slots.values()) oldest = Math.min(oldest, current.number);
    return oldest;
  }
}

function nameOf({ pk, sk }: Key): string {
  return `${pk}\n${sk}`;
}

/** About the bytes of a record on the wire, where binary values are in base64. */
function bytesOf(item: Item): number {
  const { bytes, ...others } = item;
  return Buffer.byteLength(JSON.stringify(others)) + Math.ceil(((bytes?.B?.length ?? 0) * 4) / 3);
}
