// Answers every call and hangs up as soon as the ACK has come.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

srf.invite(async (req, res) => {
  say('invite', {callId: req.get('Call-ID')});
  try {
    const dialog = await srf.createUAS(req, res, {localSdp});
    say('answered', {callId: dialog.sip.callId});
    // createUAS is content with the 200 that has left; a BYE may not overtake the ACK (RFC 3261 §15)
    dialog.once('ack', () => {
      dialog.destroy({headers: {'X-Reason': 'enough said'}}, (err, bye) => {
        // the library calls back when the response to the BYE has come
        if (err) say('failed', {reason: err.message});
        else say('hung-up', {callId: bye.get('Call-ID'), method: bye.method});
      });
    });
  } catch (err) {
    say('failed', {reason: err.message});
  }
});
