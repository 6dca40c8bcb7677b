// The requests to the table, with retries while the table does not answer.

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

/** The timeout of a request, because a connection may hang forever. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Longer, because a batch has up to 12 MB. */
const BATCH_TIMEOUT_MS = 30_000;

/** Errors with a 4xx status that are worth a retry. */
const THROTTLING = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Errors of a request that the table never accepts. */
const REFUSALS = new Set(['SerializationException', 'ValidationException']);

/** The result of updating an open execution. */
export type Update =
  | { readonly isOpen: true }
  /** The existing item, if there is one. */
  | { readonly isOpen: false; readonly found: Item | undefined };

/** How long to wait after a number of failures, with jitter, so that writers do not retry at the same time. */
export function pauseAfter(failures: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** failures);
  return longest * (0.5 + Math.random() / 2);
}

/** Checks the name instead of the class, because the client may come from another copy of the SDK. */
function isConditionFailure(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

/** Whether the table never accepts the request as it is. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && REFUSALS.has(error.name);
}

/** Waits for a promise until a deadline, which may move while waiting. Rejects with `late()` after it. */
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

/** The table that the writer writes to. */
export class Table {
  readonly #client: DynamoDBClient;
  readonly #name: string;
  readonly #writeTimeoutMs: number;

  constructor(client: DynamoDBClient, name: string, writeTimeoutMs: number) {
    this.#client = client;
    this.#name = name;
    this.#writeTimeoutMs = writeTimeoutMs;
  }

  /** Writes an item if its key does not exist yet. Otherwise returns the existing item. */
  async putNew(item: Item): Promise<Item | undefined> {
    const command = new PutItemCommand({
      TableName: this.#name,
      Item: item,
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      await this.#retry(keyOf(item), (abortSignal) => this.#client.send(command, { abortSignal }));
      return undefined;
    } catch (error) {
      if (isConditionFailure(error) && error.Item) return error.Item;
      throw error;
    }
  }

  /** Sets attributes of an execution, if it belongs to the team and is open. */
  async updateOpen(key: Key, teamId: string, set: Item): Promise<Update> {
    const names = Object.keys(set);
    const command = new UpdateItemCommand({
      TableName: this.#name,
      Key: attributes(key),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: 'teamId = :team AND #status IN (:PENDING, :RUNNING)',
      ExpressionAttributeNames: Object.fromEntries(['status', ...names].map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ':team': { S: teamId },
        ':PENDING': { S: 'PENDING' },
        ':RUNNING': { S: 'RUNNING' },
        ...Object.fromEntries(Object.entries(set).map(([name, value]) => [`:${name}`, value])),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      await this.#retry(key, (abortSignal) => this.#client.send(command, { abortSignal }));
      return { isOpen: true };
    } catch (error) {
      if (isConditionFailure(error)) return { isOpen: false, found: error.Item };
      throw error;
    }
  }

  /** Writes items, without retries. Returns the keys of the items that were not written. */
  async putBatch(items: readonly Item[]): Promise<Key[]> {
    const command = new BatchWriteItemCommand({
      RequestItems: { [this.#name]: items.map((Item) => ({ PutRequest: { Item } })) },
    });
    const abortSignal = AbortSignal.timeout(BATCH_TIMEOUT_MS);
    const { UnprocessedItems } = await this.#client.send(command, { abortSignal });
    const requests = Object.values(UnprocessedItems ?? {}).flat();
    return requests.map((request) => keyOf(request.PutRequest?.Item ?? {}));
  }

  /** Sends a request until it is answered, fails with an error that is not transient, or the time is over. */
  async #retry(key: Key, send: (abortSignal: AbortSignal) => Promise<unknown>): Promise<void> {
    const deadline = performance.now() + this.#writeTimeoutMs;
    const late = () => new Error('no answer within the write timeout');
    for (let failures = 0; ; failures += 1) {
      try {
        await within(send(AbortSignal.timeout(REQUEST_TIMEOUT_MS)), () => deadline, late);
        return;
      } catch (error) {
        if (isRefusal(error)) throw new RecordRefused([{ ...key, message: error.message }], { cause: error });
        if (!isTransient(error)) throw error;
        const leftMs = deadline - performance.now();
        if (leftMs < SHORTEST_PAUSE_MS) throw new Unavailable('the table does not answer', { cause: error });
        await delay(Math.min(pauseAfter(failures), leftMs / 2));
      }
    }
  }
}

/** Whether a failed request may succeed later: after throttling, a 5xx status, or no answer. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { $metadata, $retryable } = error as Partial<DynamoDBServiceException>;
  const status = $metadata?.httpStatusCode;
  const isClientError = status !== undefined && status >= 400 && status < 500;
  return !isClientError || status === 429 || $retryable !== undefined || THROTTLING.has(error.name);
}
