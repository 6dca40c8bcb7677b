// Uses the generated types like a program would, and checks the values.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

const FLOW = 'order-pipeline';
const client = createClient<paths>({
  baseUrl: process.env.FLOWTRAIL_URL ?? '',
  headers: { authorization: `Bearer ${process.env.FLOWTRAIL_TOKEN}` },
});

// `tsc` checks that these values are part of the types.
const FAILED: components['schemas']['Status'] = 'FAILED';
const ENDED: components['schemas']['ExecutionStatus'][] = ['SUCCESS', 'FAILED', 'CANCELLED'];

/** The data of an answer. Fails if the request did not succeed. */
function ok<Data>({ data, error }: { data?: Data; error?: unknown }): NonNullable<Data> {
  assert.equal(error, undefined);
  assert.ok(data !== undefined && data !== null);
  return data;
}

test('lists, pages and details', async () => {
  const list = (query: { limit: number; nextToken?: string; status?: typeof FAILED }) =>
    client.GET('/flow-executions', { params: { query: { flowDefinitionId: FLOW, ...query } } });
  const first = ok(await list({ limit: 2 })).data;
  assert.equal(first.items.length, 2);
  assert.ok(first.nextToken);
  const second = ok(await list({ limit: 2, nextToken: first.nextToken })).data;
  const ids = [...first.items, ...second.items].map((item) => item.flowExecutionId);
  assert.equal(new Set(ids).size, 4);

  const [failed] = ok(await list({ limit: 1, status: FAILED })).data.items;
  assert.ok(failed);
  const path = { flowExecutionId: failed.flowExecutionId };
  const run = ok(await client.GET('/flow-executions/{flowExecutionId}', { params: { path } })).data;
  assert.equal(run.metadata.status, FAILED);
  assert.equal(run.metadata.flowDefinitionId, FLOW);
  assert.ok(run.steps.some((step) => step.status === 'FAILED'));
});

test('numbered pages and statistics', async () => {
  const path = { teamId: 'default' };
  const query = { size: 3, status: 'SUCCESS' } as const;
  const page = ok(await client.GET('/api/executions/team/{teamId}', { params: { path, query } }));
  assert.deepEqual([page.number, page.size, page.content.length], [0, 3, 3]);
  assert.ok(page.content.every((run) => run.status !== null && ENDED.includes(run.status)));
  const stats = async (flowId: string) =>
    ok(await client.GET('/api/history/execution-stats', { params: { query: { flowId } } })).stats;
  const { totalExecutions, statusBreakdown, successRate } = await stats(FLOW);
  const sum = Object.values(statusBreakdown).reduce((sum, count) => sum + count, 0);
  assert.equal(totalExecutions, sum);
  assert.match(successRate ?? '', /^\d+\.\d%$/);
  assert.equal((await stats('no-runs')).successRate, null);
});

test('the export in both formats', async () => {
  const path = { teamId: 'default' };
  const url = '/api/executions/team/{teamId}/export';
  const query = { workflowId: FLOW, days: 2 };
  const csv = ok(await client.GET(url, { params: { path, query }, parseAs: 'text' }));
  assert.ok(String(csv).startsWith('execution_id,workflow_id,'));
  // A client that accepts only JSON gets JSON.
  const headers = { accept: 'application/json' };
  const runs = ok(await client.GET(url, { params: { path, query }, headers }));
  assert.ok(Array.isArray(runs) && runs.length > 0);
  assert.ok(runs.every((run) => run.workflowId === FLOW));
});

test('a cancel, and problems', async () => {
  const path = { teamId: 'default' };
  const query = { status: 'RUNNING', size: 20 } as const;
  const running = ok(await client.GET('/api/executions/team/{teamId}', { params: { path, query } }));
  const cancel = (id: string) =>
    client.POST('/api/executions/{id}/cancel', {
      params: { path: { id } },
      body: { reason: 'a test' },
      parseAs: 'text',
    });
  let cancelled: string | undefined;
  for (const { id } of running.content) {
    if ((await cancel(id)).response.status === 200) {
      cancelled = id;
      break;
    }
  }
  assert.ok(cancelled, 'no run was open any more');
  const again = await cancel(cancelled);
  assert.equal(again.response.status, 409);
  assert.equal(again.error?.code, 'EXECUTION_NOT_CANCELLABLE');
  const none = await client.GET('/api/executions/{id}', { params: { path: { id: 'no-such-run' } } });
  assert.equal(none.error?.code, 'EXECUTION_NOT_FOUND');
});
