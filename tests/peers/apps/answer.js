// Answers every call and waits for the caller to hang up.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite(async (req, res) => {
  say('invite', {callId: req.get('Call-ID'), body: req.body});
  try {
    const dialog = await srf.createUAS(req, res, {localSdp, headers: {'X-Answered-By': 'drachtio-srf'}});
    say('answered', {callId: dialog.sip.callId, remote: dialog.remote.uri, localTag: dialog.sip.localTag});
    dialog.on('destroy', (bye) => say('destroyed', {callId: bye.get('Call-ID'), method: bye.method}));
  } catch (err) {
    say('failed', {reason: err.message});
  }
});
