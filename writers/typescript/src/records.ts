// The keys and items of the record format: see docs/record-format.md.

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Encoded } from './values.js';

/** The largest part of a payload, in bytes: the limit of a DynamoDB item is 400 KB. */
const PART_BYTES = 390_000;

/** The type of a step whose branches run at the same time. */
export const FORK_TYPE = 'PARALLEL_FORK_MANAGER';

export type Item = Record<string, AttributeValue>;

export type Key = { readonly pk: string; readonly sk: string };

/** A payload of a run or of one of its steps. */
export type PayloadName = 'input' | 'output' | 'context' | `step:${string}:${'input' | 'output' | 'executionData'}`;

/** The keys of the steps of a run, of one of its branches, or below another step. */
export interface Place {
  readonly executionId: string;
  /** The start of the steps' sort keys. */
  readonly prefix: string;
  /** The attributes of the place in each step's record. */
  readonly own: Item;
}

/** The start time and id of a step, from which its key and its branches' keys are built. */
export interface StepPair {
  readonly startTime: string;
  readonly id: string;
}

export function topLevel(executionId: string): Place {
  return { executionId, prefix: 'STEP', own: {} };
}

/** The keys below another step are those of any step. */
export function nestedPlace(executionId: string, parentStepInstanceId: string): Place {
  return { executionId, prefix: 'STEP', own: attributes({ parentStepInstanceId }) };
}

/** The keys of a branch. They contain the fork's start time and id, even if the fork is inside a branch. */
export function branchPlace(executionId: string, fork: StepPair, branchId: string, branchExecutionId: string): Place {
  return {
    executionId,
    prefix: `BRANCH#${fork.startTime}#${fork.id}#${branchExecutionId}`,
    own: attributes({
      branchExecutionId,
      branchId,
      parentStepInstanceId: fork.id,
      parentStepStartTime: fork.startTime,
    }),
  };
}

export function executionKey(executionId: string): Key {
  return { pk: `EXEC#${executionId}`, sk: 'EXECUTION' };
}

export function stepKey(place: Place, step: StepPair): Key {
  return { pk: `EXEC#${place.executionId}`, sk: `${place.prefix}#${step.startTime}#${step.id}` };
}

/** Builds the items of a payload. */
export function payloadItems(executionId: string, name: PayloadName, encoded: Encoded): Item[] {
  const key = (part: number) => {
    return attributes({ pk: `EXEC#${executionId}`, sk: `PAYLOAD#${name}#${String(part).padStart(4, '0')}` });
  };
  if ('native' in encoded) return [{ ...key(0), value: encoded.native }];
  const parts = Math.ceil(encoded.bytes.length / PART_BYTES);
  return Array.from({ length: parts }, (_, part) => ({
    ...key(part),
    bytes: { B: encoded.bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES) },
    ...(part === 0 && attributes({ encoding: encoded.encoding, parts })),
  }));
}

/** Texts and numbers as attributes. Fields that are `undefined` are left out. */
export function attributes(fields: Record<string, string | number | undefined>): Item {
  const item: Item = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) item[name] = typeof value === 'number' ? { N: String(value) } : { S: value };
  }
  return item;
}

/** Texts by name as a map attribute. */
export function textMap(entries: readonly [name: string, text: string][]): AttributeValue {
  return { M: Object.fromEntries(entries.map(([name, text]) => [name, { S: text }])) };
}

/** An attribute of an item, if it exists and is a text. */
export function textIn(item: Item, name: string): string | undefined {
  return item[name]?.S;
}

/** The key of an item. */
export function keyOf(item: Item): Key {
  return { pk: textIn(item, 'pk') ?? '', sk: textIn(item, 'sk') ?? '' };
}
