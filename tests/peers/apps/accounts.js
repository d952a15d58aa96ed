// Keeps accounts of all calls with the call detail records of the server.
'use strict';

const readline = require('readline');
const {connect, say} = require('./application');

const srf = connect();

const counts = {};       // how many records of each kind, source, and role or reason
const calls = new Map(); // Call-ID to how many legs of that call are tried, up, and over (a proxied call has several)
const wrong = [];        // starts of what was not tried, and stops of what was over
let attempts = 0;
let open = 0;            // legs that were tried and are not over
let asked;               // how many attempts the test waits for

function record(kind, source, detail, msg) {
  const name = [kind, source, ...detail].join(' ');
  counts[name] = (counts[name] || 0) + 1;
  const callId = msg.get('Call-ID');
  const call = calls.get(callId) || {tried: 0, up: 0, over: 0};
  const before = {...call};
  calls.set(callId, call);
  if (kind === 'attempt') {
    attempts++;
    open++;
    call.tried++;
  } else if (kind === 'start') {
    call.tried--;
    call.up++;
  } else {
    open--;
    call.over++;
    if (detail[0] === 'normal-release' || !call.tried) call.up--; else call.tried--;
  }
  if (call.tried < 0 || call.up < 0) wrong.push({callId, before, name});
  tell();
}

srf.on('cdr:attempt', (source, time, msg) => record('attempt', source, [], msg));
srf.on('cdr:start', (source, time, role, msg) => record('start', source, [role], msg));
srf.on('cdr:stop', (source, time, reason, msg) => record('stop', source, [reason], msg));

// Each line on stdin is a number of attempts: says `balanced` once there were that many and none of them is open.
function tell() {
  if (asked === attempts && open === 0) {
    asked = undefined;
    say('balanced', {counts, wrong: wrong.slice(0, 10)});
  }
}

readline.createInterface({input: process.stdin}).on('line', (line) => {
  asked = parseInt(line, 10);
  tell();
});
