// Lets the caller hear something reliably (183 with SDP and Require: 100rel), and answers when the PRACK has come.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  const callId = req.get('Call-ID');

  async function acknowledged(prack) {
    say('prack', {callId, rack: prack.get('RAck')});
    try {
      const dialog = await srf.createUAS(req, res, {localSdp});
      dialog.on('destroy', () => say('destroyed', {callId}));
    } catch (err) {
      say('failed', {callId, reason: err.message});
    }
  }

  req.on('cancel', (cancel) => say('cancelled', {callId, reason: cancel.get('Reason')}));
  res.send(183, {body: localSdp, headers: {Require: '100rel'}}, (err, sent) => {
    if (err) return say('failed', {callId, reason: err.message});
    say('early', {callId, rseq: sent.get('RSeq')});
  }, acknowledged);
});
