// A list and the details of executions, as a team without Flowtrail would write them: with the
// AWS SDK's DocumentClient, an index on flow and time, a filter on the status, and the
// LastEvaluatedKey in base64.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';

const TABLE = process.env.FLOWTRAIL_TABLE;
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));

const reply = (statusCode, body) => ({
  statusCode,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

const decode = (token) =>
  token && JSON.parse(Buffer.from(token, 'base64').toString('utf8'));

const encode = (key) => key && Buffer.from(JSON.stringify(key)).toString('base64');

async function list(event) {
  const query = event.queryStringParameters ?? {};
  const limit = Number(query.limit ?? 50);
  const filtered = query.status && {
    FilterExpression: '#status = :status',
    ExpressionAttributeNames: { '#status': 'status' },
  };
  const page = await client.send(new QueryCommand({
    TableName: TABLE,
    IndexName: 'by-flow',
    KeyConditionExpression: 'teamId = :team AND flowId = :flow',
    ...filtered,
    ExpressionAttributeValues: {
      ':team': event.requestContext.authorizer.teamId,
      ':flow': query.flowDefinitionId,
      ...(query.status && { ':status': query.status }),
    },
    ScanIndexForward: false,
    Limit: limit,
    ExclusiveStartKey: decode(query.nextToken),
  }));
  return reply(200, {
    success: true,
    data: {
      items: page.Items.map((item) => ({
        flowExecutionId: item.executionId,
        status: item.status,
        startTime: item.startTime,
        endTime: item.endTime ?? null,
        durationMs: item.durationMs ?? null,
      })),
      nextToken: encode(page.LastEvaluatedKey),
    },
  });
}

const toStep = (item) => ({
  stepInstanceId: item.stepInstanceId,
  stepId: item.stepId,
  stepName: item.stepName,
  stepType: item.stepType,
  sequenceNumber: item.sequenceNumber,
  status: item.status,
  startTime: item.startTime,
  endTime: item.endTime ?? null,
  durationMs: item.durationMs ?? null,
  retryCount: item.retryCount ?? 0,
  input: item.input ?? null,
  output: item.output ?? null,
  executionData: item.executionData ?? null,
  errorMessage: item.errorMessage ?? null,
});

async function details(event) {
  const page = await client.send(new QueryCommand({
    TableName: TABLE,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: {
      ':pk': `EXEC#${event.pathParameters.flowExecutionId}`,
    },
  }));
  const run = page.Items.find((item) => item.sk === 'EXECUTION');
  if (!run || run.teamId !== event.requestContext.authorizer.teamId) {
    return reply(404, { success: false, error: 'Execution not found' });
  }
  return reply(200, {
    success: true,
    data: {
      metadata: {
        flowExecutionId: run.executionId,
        flowDefinitionId: run.flowId,
        flowName: run.flowName,
        status: run.status,
        startTime: run.startTime,
        endTime: run.endTime ?? null,
        durationMs: run.durationMs ?? null,
      },
      steps: page.Items.filter((item) => item.sk.startsWith('STEP#')).map(toStep),
    },
  });
}

export async function handler(event) {
  return event.pathParameters?.flowExecutionId ? details(event) : list(event);
}
