// Sends a reliable 183 and the answer without waiting for the PRACK: the server keeps the order.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  const callId = req.get('Call-ID');
  const sent = (err, response) => {
    if (err) say('failed', {callId, reason: err.message});
    else say('sent', {callId, status: response.status, rseq: response.get('RSeq')});
  };

  res.send(183, {body: localSdp, headers: {Require: '100rel'}}, sent);
  srf.createUAS(req, res, {localSdp}, (err, dialog) => {
    if (err) return say('failed', {callId, reason: err.message});
    say('answered', {callId});
    dialog.on('destroy', () => say('destroyed', {callId}));
  });
});
