// Answers every call, lets itself be sent elsewhere (REFER), says how far that is, and waits for the caller to hang up.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

// One message about the transfer; `state` is the life of the subscription that REFER made (RFC 3515).
function tell(dialog, line, state) {
  return dialog.request({
    method: 'NOTIFY',
    headers: {'Event': 'refer', 'Subscription-State': state, 'Content-Type': 'message/sipfrag;version=2.0'},
    body: `${line}\r\n`,
  });
}

srf.invite((req, res) => {
  srf.createUAS(req, res, {localSdp}, (err, dialog) => {
    if (err) return say('failed', {reason: err.message});
    const callId = dialog.sip.callId;
    dialog.on('refer', async(refer, answer) => {
      say('refer', {callId, to: refer.get('Refer-To')});
      answer.send(202);
      const first = await tell(dialog, 'SIP/2.0 100 Trying', 'active;expires=60');
      const last = await tell(dialog, 'SIP/2.0 200 OK', 'terminated;reason=noresource');
      say('told', {callId, statuses: [first.status, last.status]});
    });
    dialog.on('destroy', () => say('destroyed', {callId}));
  });
});
