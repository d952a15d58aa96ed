// Answers every call and each UPDATE in it, and waits for the caller to hang up.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  srf.createUAS(req, res, {localSdp}, (err, dialog) => {
    if (err) return say('failed', {reason: err.message});
    const callId = dialog.sip.callId;
    dialog.on('update', (update, answer) => {
      say('update', {callId, body: update.body});
      answer.send(200, {body: localSdp, headers: {'X-Updated': 'yes'}});
    });
    dialog.on('destroy', () => say('destroyed', {callId}));
  });
});
