// Does the same as Lambda's own runtime for Node.js: loads the handler, and polls the Runtime API
// for one event after another, on a connection that stays open.
import http from 'node:http';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function send(method, path, body) {
  return new Promise((resolve, reject) => {
    const options = { host, port, method, agent, path: `/2018-06-01/runtime/${path}` };
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

const { handler } = await import(process.argv[2]);
for (;;) {
  const event = await send('GET', 'invocation/next');
  const id = event.headers['lambda-runtime-aws-request-id'];
  try {
    const answer = await handler(JSON.parse(event.body));
    await send('POST', `invocation/${id}/response`, JSON.stringify(answer));
  } catch (error) {
    await send('POST', `invocation/${id}/error`, JSON.stringify({ errorMessage: String(error) }));
  }
}
