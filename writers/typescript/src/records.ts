// The record format's keys and items: see docs/record-format.md.

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Stored } from './values.js';

/** The most bytes of a payload's part: an item of DynamoDB holds 400 KB. */
const PART_BYTES = 390_000;

/** The type of a step whose branches run at the same time. */
export const FORK_TYPE = 'PARALLEL_FORK_MANAGER';

export type Item = Record<string, AttributeValue>;

export type Key = { readonly pk: string; readonly sk: string };

/** A payload of an execution, or of a step of it. */
export type PayloadName = 'input' | 'output' | 'context' | `step:${string}:${'input' | 'output' | 'executionData'}`;

/** Where the steps of a run, or of one of its branches, lie. */
export interface Place {
  readonly executionId: string;
  /** What the sort keys of the steps begin with. */
  readonly prefix: string;
  /** What each step tells of its branch. */
  readonly branch: Item;
}

/** The pair of a step that its key, and those of its branches, are made of. */
export interface StepPair {
  readonly startTime: string;
  readonly id: string;
}

export function topLevel(executionId: string): Place {
  return { executionId, prefix: 'STEP', branch: {} };
}

/** The place of a branch of a fork, which lies below the fork's own pair wherever that lies. */
export function branchPlace(executionId: string, fork: StepPair, branchId: string, branchExecutionId: string): Place {
  return {
    executionId,
    prefix: `BRANCH#${fork.startTime}#${fork.id}#${branchExecutionId}`,
    branch: attributes({
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

/** The items of a payload. */
export function payloadItems(executionId: string, name: PayloadName, stored: Stored): Item[] {
  const key = (part: number) => {
    return attributes({ pk: `EXEC#${executionId}`, sk: `PAYLOAD#${name}#${String(part).padStart(4, '0')}` });
  };
  if ('native' in stored) return [{ ...key(0), value: stored.native }];
  const parts = Math.ceil(stored.bytes.length / PART_BYTES);
  return Array.from({ length: parts }, (_, part) => ({
    ...key(part),
    bytes: { B: stored.bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES) },
    ...(part === 0 && attributes({ encoding: stored.encoding, parts })),
  }));
}

/** Texts and numbers as attributes, without those that are not there. */
export function attributes(fields: Record<string, string | number | undefined>): Item {
  const item: Item = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) item[name] = typeof value === 'number' ? { N: String(value) } : { S: value };
  }
  return item;
}

/** Texts as a map. */
export function textMap(entries: readonly [name: string, text: string][]): AttributeValue {
  return { M: Object.fromEntries(entries.map(([name, text]) => [name, { S: text }])) };
}

/** A text of an item, if it is there, and a text. */
export function textIn(item: Item, name: string): string | undefined {
  return item[name]?.S;
}

/** The key that an item has. */
export function keyOf(item: Item): Key {
  return { pk: textIn(item, 'pk') ?? '', sk: textIn(item, 'sk') ?? '' };
}
