// Proxies every request as its plan says: {"plan": USER, "destination": [...], "options": {...}} on stdin is what happens to
// requests whose Request-URI has that user part.
'use strict';

const readline = require('readline');
const {connect, say} = require('./application');

const srf = connect();
const plans = new Map();

readline.createInterface({input: process.stdin}).on('line', (line) => {
  const {plan, destination, options} = JSON.parse(line);
  plans.set(plan, {destination, options});
  say('planned', {plan});
});

async function proxy(req) {
  const callId = req.get('Call-ID');
  const user = /^sips?:([^@;:]*)@/.exec(req.uri);
  const {destination, options} = plans.get(user ? user[1] : 'service') || plans.get('service');
  try {
    // The options are written to by the library.
    const done = await srf.proxyRequest(req, [...destination], {...options});
    const statuses = done.responses.flatMap(({msgs}) => msgs.map(({status}) => status));
    say('proxied', {callId, method: req.method, connected: done.connected, final: done.finalStatus, statuses});
  } catch (err) {
    say('refused', {callId, method: req.method, reason: `${err.message || err}`});
  }
}

for (const method of ['invite', 'options', 'message', 'register']) srf[method](proxy);
