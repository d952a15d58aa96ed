// Keeps accounts of all calls with the call detail records of the server.
'use strict';

const readline = require('readline');
const {connect, say} = require('./application');

const srf = connect();

const counts = {};       // how many records of each kind, source, and role or reason
const legs = new Map();  // Call-ID to the records of that call so far
const wrong = [];        // what is no attempt, start, stop, or attempt, stop, all of one call
let open = 0;            // calls that were tried and are not over
let asked;               // how many attempts the test waits for

const legal = {
  '': ['attempt'],
  attempt: ['start', 'stop'],
  'attempt start': ['stop'],
};

function record(kind, source, detail, msg) {
  const name = [kind, source, ...detail].join(' ');
  counts[name] = (counts[name] || 0) + 1;
  const callId = msg.get('Call-ID');
  const before = legs.get(callId) || '';
  if (!(legal[before] || []).includes(kind)) wrong.push({callId, before, name});
  legs.set(callId, `${before} ${kind}`.trim());
  if (kind === 'attempt') open++;
  if (kind === 'stop') open--;
  tell();
}

srf.on('cdr:attempt', (source, time, msg) => record('attempt', source, [], msg));
srf.on('cdr:start', (source, time, role, msg) => record('start', source, [role], msg));
srf.on('cdr:stop', (source, time, reason, msg) => record('stop', source, [reason], msg));

// Each line on stdin is a number of attempts: says `balanced` once there were that many and none of them is open.
function tell() {
  if (asked === legs.size && open === 0) {
    asked = undefined;
    say('balanced', {counts, wrong: wrong.slice(0, 10)});
  }
}

readline.createInterface({input: process.stdin}).on('line', (line) => {
  asked = parseInt(line, 10);
  tell();
});
