// Checks of parameters, before anything is buffered. Each check returns the value in the record
// format.

import { InvalidRecord } from './errors.js';

/** The longest error of a run, in bytes. It is short because every index copies the run's record. */
export const RUN_ERROR_BYTES = 1_024;

/** The longest error of a step, in bytes. */
export const STEP_ERROR_BYTES = 16_384;

const ID = /^[A-Za-z0-9._:@/+=-]{1,128}$/;

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** The last second of the year 9999. Milliseconds since 1970 are larger, and are refused. */
const LAST_SECOND = 253_402_300_799;

/** A point in time: a `Date`, or a text in RFC 3339 format. */
export type Time = Date | string;

/** Applies a check, unless the value is `undefined`. */
export function checkOptional<Given, Checked>(
  check: (field: string, value: Given) => Checked,
  field: string,
  value: Given | undefined,
): Checked | undefined {
  return value === undefined ? undefined : check(field, value);
}

export function checkId(field: string, value: string): string {
  if (typeof value === 'string' && ID.test(value)) return value;
  throw new InvalidRecord(field, 'must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ / + = -');
}

/** A text. Unpaired surrogates are replaced, because UTF-8 cannot encode them. */
export function checkText(field: string, value: string): string {
  if (typeof value === 'string') return value.toWellFormed();
  throw new InvalidRecord(field, 'must be a string');
}

export function checkTextOrInteger(field: string, value: string | number): string | number {
  return typeof value === 'number' ? checkInteger(field, value) : checkText(field, value);
}

/** An integer that a double holds exactly. */
function checkInteger(field: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidRecord(field, 'must be an integer');
}

/** An integer of at least 0. */
export function checkCount(field: string, value: number): number {
  if (checkInteger(field, value) >= 0) return value;
  throw new InvalidRecord(field, 'must not be negative');
}

/** A time in seconds since 1970. */
export function checkEpochSecond(field: string, value: number): number {
  if (checkCount(field, value) <= LAST_SECOND) return value;
  throw new InvalidRecord(field, 'must be seconds since 1970, not milliseconds');
}

/** A time in the record format. */
export function checkTime(field: string, value: Time): string {
  const isTime = value instanceof Date || (typeof value === 'string' && RFC_3339.test(value));
  if (!isTime) throw new InvalidRecord(field, 'must be a Date, or a string in RFC 3339 format');
  return formatMs(field, new Date(value).getTime());
}

/** Milliseconds since 1970 in the record format. */
export function formatMs(field: string, ms: number): string {
  const date = new Date(ms);
  const isInRange = date.getUTCFullYear() >= 0 && date.getUTCFullYear() <= 9_999;
  if (isInRange) return date.toISOString();
  throw new InvalidRecord(field, 'must be a time from the year 0 to the year 9999');
}

/** Labels: texts by name. */
export function checkLabels(field: string, value: Record<string, string>): [name: string, value: string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidRecord(field, 'must be an object of strings');
  }
  return Object.entries(value).map(([name, label]) => {
    if (name === '') throw new InvalidRecord(field, 'must not have an empty name');
    return [name.toWellFormed(), checkText(`${field}.${name}`, label)];
  });
}

/** An error message, cut between characters to at most `maximumBytes` of UTF-8. */
export function cutErrorMessage(value: string, maximumBytes: number): string {
  const bytes = Buffer.from(checkText('errorMessage', value));
  if (bytes.length <= maximumBytes) return bytes.toString();
  let end = maximumBytes - Buffer.byteLength('…');
  while (isContinuation(bytes[end])) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}

/** Whether a byte of UTF-8 continues a character. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** An option of the writer: an integer within limits. */
export function checkRange(field: string, value: number, minimum: number, maximum: number): number {
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
  throw new InvalidRecord(field, `must be an integer from ${minimum} to ${maximum}`);
}
