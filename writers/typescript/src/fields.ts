// Checks of what callers give, before anything of it is buffered. Each returns the value as
// the record format has it.

import { InvalidRecord } from './errors.js';

/** The longest error of a run: its record stands whole in every index. */
export const RUN_ERROR_BYTES = 1_024;

/** The longest error of a step. */
export const STEP_ERROR_BYTES = 16_384;

const ID = /^[A-Za-z0-9._:@/+=-]{1,128}$/;

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** The last second whose year has four digits. Milliseconds since 1970 lie beyond it. */
const LAST_SECOND = 253_402_300_799;

/** A point in time: a date, or a text in the form of RFC 3339. */
export type Time = Date | string;

/** Applies a check, unless there is nothing to check. */
export function optional<Given, Checked>(
  check: (field: string, value: Given) => Checked,
  field: string,
  value: Given | undefined,
): Checked | undefined {
  return value === undefined ? undefined : check(field, value);
}

/** The options of a call. */
export function options<Options extends object>(value: Options): Options {
  if (typeof value !== 'object' || value === null) throw new InvalidRecord('options', 'must be an object');
  return value;
}

export function id(field: string, value: string): string {
  if (typeof value === 'string' && ID.test(value)) return value;
  throw new InvalidRecord(field, 'must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ / + = -');
}

/** A text. What is half a character in it is replaced: UTF-8 has no bytes for it. */
export function text(field: string, value: string): string {
  if (typeof value === 'string') return value.toWellFormed();
  throw new InvalidRecord(field, 'must be a text');
}

export function textOrInteger(field: string, value: string | number): string | number {
  return typeof value === 'number' ? integer(field, value) : text(field, value);
}

/** An integer that a double holds exactly. */
function integer(field: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidRecord(field, 'must be an integer');
}

/** An integer from 0 on. */
export function count(field: string, value: number): number {
  if (integer(field, value) >= 0) return value;
  throw new InvalidRecord(field, 'must not be negative');
}

/** A second since 1970 began. */
export function epochSecond(field: string, value: number): number {
  if (count(field, value) <= LAST_SECOND) return value;
  throw new InvalidRecord(field, 'must be seconds since 1970, not milliseconds');
}

/** A time in the one form of the format. */
export function time(field: string, value: Time): string {
  const isTime = value instanceof Date || (typeof value === 'string' && RFC_3339.test(value));
  if (!isTime) throw new InvalidRecord(field, 'must be a Date, or a text in the form of RFC 3339');
  return timeOfMs(field, new Date(value).getTime());
}

/** Milliseconds since 1970 in the one form of the format. */
export function timeOfMs(field: string, ms: number): string {
  const date = new Date(ms);
  const isInRange = date.getUTCFullYear() >= 0 && date.getUTCFullYear() <= 9_999;
  if (isInRange) return date.toISOString();
  throw new InvalidRecord(field, 'must be a time of the years 0 to 9999');
}

/** Texts by name. */
export function labels(field: string, value: Record<string, string>): [name: string, value: string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidRecord(field, 'must be an object of texts');
  }
  return Object.entries(value).map(([name, label]) => {
    if (name === '') throw new InvalidRecord(field, 'must have no empty name');
    return [name.toWellFormed(), text(`${field}.${name}`, label)];
  });
}

/** An error's text, cut on a character's boundary to at most so many bytes of UTF-8. */
export function errorMessage(value: string, maximumBytes: number): string {
  const bytes = Buffer.from(text('errorMessage', value));
  if (bytes.length <= maximumBytes) return bytes.toString();
  let end = maximumBytes - Buffer.byteLength('…');
  while (isContinuation(bytes[end])) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}

/** Whether a byte of UTF-8 goes on with the character before it. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** An option of the writer: an integer within bounds. */
export function bounded(field: string, value: number, minimum: number, maximum: number): number {
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
  throw new InvalidRecord(field, `must be an integer from ${minimum} to ${maximum}`);
}
