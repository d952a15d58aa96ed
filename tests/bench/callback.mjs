// A callback as fast as one can be: every request goes to the application that listens at PLACE. With HANGS it never answers.
import {createServer} from 'node:http';

const body = JSON.stringify({action: 'route', data: {uri: process.env.PLACE ?? ''}});

const server = createServer((req, res) => {
  if (process.env.HANGS) return;
  res.setHeader('Content-Type', 'application/json');
  res.end(body);
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({event: 'listening', port: server.address().port})}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
