// Buffers a step, and ends without closing the writer.

import { Writer } from 'flowtrail-writer';
import { clientOf } from '../support.mjs';

const client = clientOf(process.argv[2]);
const writer = new Writer('flowtrail', { client, flushAfterMs: 600_000 });
const run = await writer.startRun({ flowId: 'idle' });
await run.startStep({ stepId: 'a' });
