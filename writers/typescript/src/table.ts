// The requests to the table, each tried again while the table does not answer.

import { setTimeout as delay } from 'node:timers/promises';
import {
  BatchWriteItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type ConditionalCheckFailedException,
  type DynamoDBClient,
  type DynamoDBServiceException,
} from '@aws-sdk/client-dynamodb';
import { RecordRefused, Unavailable } from './errors.js';
import { attributes, keyOf, type Item, type Key } from './records.js';

const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** How long a request may take: a connection may hang without an end. */
const REQUEST_TIMEOUT_MS = 10_000;

/** A batch is up to 12 MB. */
const BATCH_TIMEOUT_MS = 30_000;

/** Errors with a status of 4xx that pass by themselves. */
const THROTTLING = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Errors of a request that would never be taken. */
const REFUSALS = new Set(['SerializationException', 'ValidationException']);

/** What an update of an open execution has come to. */
export type Update =
  | { readonly isOpen: true }
  /** What was found in its place, if anything was. */
  | { readonly isOpen: false; readonly found: Item | undefined };

/** How long to wait after so many failures, with jitter, so that writers do not come back all at once. */
export function pauseAfter(failures: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** failures);
  return longest * (0.5 + Math.random() / 2);
}

/** By its name, for the client may come with an SDK of its own. */
function isConditionFailure(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

/** Whether the table will never take the request as it is. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && REFUSALS.has(error.name);
}

/** A promise's outcome, or the error when the deadline comes first, which may be moved meanwhile. */
export async function within<Result>(
  promise: Promise<Result>,
  deadline: () => number,
  late: () => Error,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    const check = () => {
      const leftMs = deadline() - performance.now();
      if (leftMs <= 0) reject(late());
      else timer = setTimeout(check, Math.ceil(leftMs));
    };
    check();
  });
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    clearTimeout(timer);
  }
}

/** The table that the records go to. */
export class Table {
  readonly #client: DynamoDBClient;
  readonly #name: string;
  readonly #writeTimeoutMs: number;

  constructor(client: DynamoDBClient, name: string, writeTimeoutMs: number) {
    this.#client = client;
    this.#name = name;
    this.#writeTimeoutMs = writeTimeoutMs;
  }

  /** Writes an item where there is none. Returns the one that is there otherwise. */
  async putNew(item: Item): Promise<Item | undefined> {
    const command = new PutItemCommand({
      TableName: this.#name,
      Item: item,
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      await this.#answer(keyOf(item), (abortSignal) => this.#client.send(command, { abortSignal }));
      return undefined;
    } catch (error) {
      if (isConditionFailure(error) && error.Item) return error.Item;
      throw error;
    }
  }

  /** Sets attributes of an execution, if it is open. */
  async updateOpen(key: Key, set: Item): Promise<Update> {
    const names = Object.keys(set);
    const command = new UpdateItemCommand({
      TableName: this.#name,
      Key: attributes(key),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: '#status IN (:PENDING, :RUNNING)',
      ExpressionAttributeNames: Object.fromEntries(['status', ...names].map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ':PENDING': { S: 'PENDING' },
        ':RUNNING': { S: 'RUNNING' },
        ...Object.fromEntries(Object.entries(set).map(([name, value]) => [`:${name}`, value])),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      await this.#answer(key, (abortSignal) => this.#client.send(command, { abortSignal }));
      return { isOpen: true };
    } catch (error) {
      if (isConditionFailure(error)) return { isOpen: false, found: error.Item };
      throw error;
    }
  }

  /** Writes items, once. Returns the keys of those that were not written. */
  async putBatch(items: readonly Item[]): Promise<Key[]> {
    const command = new BatchWriteItemCommand({
      RequestItems: { [this.#name]: items.map((Item) => ({ PutRequest: { Item } })) },
    });
    const abortSignal = AbortSignal.timeout(BATCH_TIMEOUT_MS);
    const { UnprocessedItems } = await this.#client.send(command, { abortSignal });
    const requests = Object.values(UnprocessedItems ?? {}).flat();
    return requests.map((request) => keyOf(request.PutRequest?.Item ?? {}));
  }

  /** Asks until there is an answer, an error that is none of the moment, or no more time. */
  async #answer(key: Key, ask: (abortSignal: AbortSignal) => Promise<unknown>): Promise<void> {
    const deadline = performance.now() + this.#writeTimeoutMs;
    const late = () => new Error('no answer has come in time');
    for (let failures = 0; ; failures += 1) {
      try {
        await within(ask(AbortSignal.timeout(REQUEST_TIMEOUT_MS)), () => deadline, late);
        return;
      } catch (error) {
        if (isRefusal(error)) throw new RecordRefused([{ ...key, message: error.message }], { cause: error });
        if (!isOfTheMoment(error)) throw error;
        const leftMs = deadline - performance.now();
        if (leftMs < SHORTEST_PAUSE_MS) throw new Unavailable('the table does not answer', { cause: error });
        await delay(Math.min(pauseAfter(failures), leftMs / 2));
      }
    }
  }
}

/** Whether a request that failed may succeed later: throttling, 5xx, and what had no answer at all. */
function isOfTheMoment(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { $metadata, $retryable } = error as Partial<DynamoDBServiceException>;
  const status = $metadata?.httpStatusCode;
  const isOwnFault = status !== undefined && status >= 400 && status < 500;
  return !isOwnFault || status === 429 || $retryable !== undefined || THROTTLING.has(error.name);
}
