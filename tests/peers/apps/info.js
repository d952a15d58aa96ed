// Answers every call, says something in it (INFO) when the caller has acknowledged, and waits for the end.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  srf.createUAS(req, res, {localSdp}, (err, dialog) => {
    if (err) return say('failed', {reason: err.message});
    const callId = dialog.sip.callId;
    dialog.once('ack', async() => {
      const answer = await dialog.request({method: 'INFO', headers: {'Content-Type': 'text/plain'}, body: 'hello'});
      say('answered', {callId, status: answer.status});
    });
    dialog.on('destroy', (bye, reason) => say('destroyed', {callId, reason, connected: dialog.connected}));
  });
});
