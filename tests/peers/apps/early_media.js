// Lets the caller hear something (183 with SDP) before it answers, and waits for the caller to hang up.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  res.send(183, {body: localSdp, headers: {'X-Early': 'yes'}}, (err, sent) => {
    if (err) return say('failed', {reason: err.message});
    say('early', {callId: sent.get('Call-ID'), to: sent.get('To')});
    srf.createUAS(req, res, {localSdp}, (failure, dialog) => {
      if (failure) return say('failed', {reason: failure.message});
      dialog.on('destroy', () => say('destroyed', {callId: dialog.sip.callId}));
    });
  });
});
