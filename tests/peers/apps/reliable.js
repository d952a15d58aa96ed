// Lets the caller hear something reliably (183 with SDP and Require: 100rel), and answers when the PRACK has come.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  const callId = req.get('Call-ID');

  function acknowledged(prack) {
    say('prack', {callId, rack: prack.get('RAck')});
    srf.createUAS(req, res, {localSdp}, (err, dialog) => {
      if (err) return say('failed', {callId, reason: err.message});
      dialog.on('destroy', () => say('destroyed', {callId}));
    });
  }

  req.on('cancel', (cancel) => say('cancelled', {callId, reason: cancel.get('Reason')}));
  res.send(183, {body: localSdp, headers: {Require: '100rel'}}, (err, sent) => {
    if (err) return say('failed', {callId, reason: err.message});
    say('early', {callId, rseq: sent.get('RSeq')});
  }, acknowledged);
});
