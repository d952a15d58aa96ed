import {createServer} from 'node:http';

function decide(number) {
  if (number.startsWith('2')) return {action: 'route', data: {tag: 'sales'}};
  if (number.startsWith('3')) return {action: 'redirect', data: {contact: `sip:${number}@example.com`}};
  return {action: 'reject', data: {status: 404, reason: 'No Such Number'}};
}

const server = createServer((req, res) => {
  const {searchParams} = new URL(req.url.replace(/^\/+/, '/'), 'http://callback');
  res.setHeader('Content-Type', 'application/json');
  res.end(JSON.stringify(decide(searchParams.get('uriUser') ?? '')));
});

server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`);
});
