// Buffers a step, and comes to its end.

import { Writer } from 'flowtrail-writer';
import { clientOf } from '../support.mjs';

const client = clientOf(process.argv[2]);
const writer = new Writer('flowtrail', { client, flushAfterMs: 600_000 });
const run = await writer.startRun({ flowId: 'idle' });
await run.startStep({ stepId: 'a' });
