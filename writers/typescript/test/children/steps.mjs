// Writes steps forever. After each flush it prints the id of a flushed step.

import { Writer } from 'flowtrail-writer';
import { clientOf } from '../support.mjs';

const writer = new Writer('flowtrail', { client: clientOf(process.argv[2]), flushAfterMs: 5 });
const run = await writer.startRun({ flowId: 'killed' });
console.log(run.executionId);
for (;;) {
  const step = await run.startStep({ stepId: 'a', input: { some: 'thing' } });
  await step.complete();
  await run.startStep({ stepId: 'b', input: 'large '.repeat(2_000) });
  await writer.flush();
  console.log(step.id);
}
