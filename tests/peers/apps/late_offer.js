// Makes the offer that the caller left to it, changes the session when the caller has agreed, and waits for the end.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  srf.createUAS(req, res, {localSdp}, (err, dialog) => {
    if (err) return say('failed', {reason: err.message});
    const callId = dialog.sip.callId;
    dialog.once('ack', async(ack) => {
      say('agreed', {callId, offered: req.body, body: ack.body});
      const changed = await dialog.modify(`${localSdp}a=sendonly\r\n`);
      say('changed', {callId, body: changed});
    });
    dialog.on('destroy', () => say('destroyed', {callId}));
  });
});
