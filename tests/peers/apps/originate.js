// Does what the test says: each line on stdin is a call or a registration, {"do": ..., "id": ..., "uri": ..., ...}.
'use strict';

const readline = require('readline');
const {connect, say, localSdp} = require('./application');

const srf = connect();

// Calls, and hangs up when the other side has answered, unless `wait` leaves that to the other side.
async function call({id, uri, auth, wait, headers, proxy, sdp = localSdp}) {
  const dialog = await srf.createUAC(uri, {localSdp: sdp, auth, proxy, headers: {'X-Id': id, ...headers}}, {
    cbProvisional: (res) => say('provisional', {id, status: res.status}),
  });
  say('answered', {id, callId: dialog.sip.callId, remoteTag: dialog.sip.remoteTag, sdp: dialog.remote.sdp});
  dialog.on('destroy', (bye) => say('destroyed', {id, method: bye.method, reason: bye.get('X-Reason')}));
  if (!wait) dialog.destroy({}, (err) => say(err ? 'failed' : 'hung-up', {id, reason: err && err.message}));
}

// Calls, and gives up when it rings.
async function cancel({id, uri, proxy}) {
  let invite;
  await srf.createUAC(uri, {localSdp, proxy}, {
    cbRequest: (err, req) => { invite = req; },
    cbProvisional: () => invite.cancel({headers: {Reason: 'SIP;cause=200;text="Call completed elsewhere"'}}),
  });
}

// Registers itself for the address of record `aor`, or somebody else, who is at `contact`.
function register({id, uri, auth, aor = uri, contact = '<sip:carol@localhost>'}) {
  const headers = {From: `<${aor}>`, To: `<${aor}>`, Contact: contact, Expires: '60'};
  srf.request(uri, {method: 'REGISTER', auth, headers}, (err, req) => {
    if (err) return say('failed', {id, reason: err.message});
    req.on('response', (res) => say('registered', {id, status: res.status, contact: res.get('Contact')}));
  });
}

const deeds = {call, cancel, register};

readline.createInterface({input: process.stdin}).on('line', async(line) => {
  const wish = JSON.parse(line);
  try {
    await deeds[wish.do](wish);
  } catch (err) {
    if (err.status) say('refused', {id: wish.id, status: err.status, reason: err.reason, why: err.res.get('X-Custom')});
    else say('failed', {id: wish.id, reason: err.message});
  }
});
