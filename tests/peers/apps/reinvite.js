// Answers every call, agrees to each change of the session, and waits for the caller to hang up.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  srf.createUAS(req, res, {localSdp}, (err, dialog) => {
    if (err) return say('failed', {reason: err.message});
    const callId = dialog.sip.callId;
    dialog.on('modify', (change, answer) => {
      say('modify', {callId, body: change.body});
      answer.send(200, {body: localSdp, headers: {'X-Modified': 'yes'}});
    });
    dialog.on('destroy', () => say('destroyed', {callId}));
  });
});
