// What every application here shares: a connection as the environment says it, and JSON lines on stdout for the test.
// DRACHTIO_SRF names the library: drachtio-srf or drachtio-srf-4, the older one that many applications still run on.
'use strict';

const fs = require('node:fs');
const Srf = require(process.env.DRACHTIO_SRF || 'drachtio-srf');

function say(event, details = {}) {
  process.stdout.write(`${JSON.stringify({event, ...details})}\n`);
}

// Connects to DRACHTIO_HOST:DRACHTIO_PORT with DRACHTIO_SECRET, over TLS if DRACHTIO_TLS is set; says `connected` with the server's SIP addresses.
// What must not miss the end of a call takes createUAS with a callback: a BYE that comes in one piece with the ACK is told
// before what awaits the dialog goes on.
// The application ends when its stdin does, so that it never outlives the test.
// With DRACHTIO_LISTEN it listens for servers instead, says `listening` with its port, and `connected` for each server.
function connect() {
  const srf = new Srf();
  if (process.env.DRACHTIO_LISTEN) listen(srf);
  else srf.connect({
    host: process.env.DRACHTIO_HOST,
    port: parseInt(process.env.DRACHTIO_PORT, 10),
    secret: process.env.DRACHTIO_SECRET,
    ...(process.env.DRACHTIO_TLS ? {tls: {rejectUnauthorized: false}} : {}),
  });
  srf.on('connect', (err, hostports, version) => {
    if (err) say('refused', {reason: err.message});
    else say('connected', {hostports, version});
  });
  srf.on('error', (err) => say('error', {reason: err.message}));
  process.stdin.on('end', () => process.exit(0)).resume();
  return srf;
}

function listen(srf) {
  const {DRACHTIO_SECRET: secret, DRACHTIO_TLS_KEY: key, DRACHTIO_TLS_CERT: cert} = process.env;
  const tls = key ? {tls: {key: fs.readFileSync(key), cert: fs.readFileSync(cert)}} : {};
  const server = srf.listen({port: 0, host: '127.0.0.1', secret, ...tls});
  srf.on('listening', () => say('listening', {port: server.address().port}));
}

// The session description of somebody who listens to nothing.
const localSdp = [
  'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 9 RTP/AVP 0', '',
].join('\r\n');

module.exports = {connect, say, localSdp};
