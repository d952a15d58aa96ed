// Answers every call and waits for the caller to hang up.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  say('invite', {callId: req.get('Call-ID'), body: req.body});
  // A callback, not a promise: a BYE may come in the same read as the ACK, before a promise goes on.
  srf.createUAS(req, res, {localSdp, headers: {'X-Answered-By': 'drachtio-srf'}}, (err, dialog) => {
    if (err) return say('failed', {reason: err.message});
    say('answered', {callId: dialog.sip.callId, remote: dialog.remote.uri, localTag: dialog.sip.localTag});
    dialog.on('destroy', (bye) => say('destroyed', {callId: bye.get('Call-ID'), method: bye.method}));
  });
});
