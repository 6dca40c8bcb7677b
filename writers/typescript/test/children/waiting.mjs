// Waits only for the table: for the end of a run, or for room in the buffer.

import { Writer } from 'flowtrail-writer';
import { clientOf } from '../support.mjs';

const [endpoint, call] = process.argv.slice(2);
const client = clientOf(endpoint, { maxAttempts: 1 });
const writer = new Writer('flowtrail', { client, flushAfterMs: 600_000, maxBufferedBytes: 100 });
const run = await writer.startRun({ flowId: 'waiting' });
console.log(run.executionId);
await untilRefused();
await run.startStep({ stepId: 'a' });
const waiting = call === 'end' ? run.complete() : run.startStep({ stepId: 'b' });
console.log('waits');
await waiting;
console.log('done');

/** Resolves when the table refuses connections. */
async function untilRefused() {
  for (;;) {
    try {
      await fetch(endpoint);
    } catch {
      return;
    }
  }
}
