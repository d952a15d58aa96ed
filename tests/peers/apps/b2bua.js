// Connects every caller with the callee of the environment: two calls, one application. PASSED names headers of responses
// that go to the caller, too.
'use strict';

const {connect, say} = require('./application');

const srf = connect();

// What one side changes in its session the other side is asked for.
function pass(from, to, callId, by) {
  from.on('modify', async(change, answer) => {
    say('modify', {callId, by});
    try {
      answer.send(200, {body: await to.modify(change.body)});
    } catch (err) {
      answer.send(err.status || 500);
    }
  });
}

srf.invite(async(req, res) => {
  const callId = req.get('Call-ID');
  let caller;
  let gone = false;
  const end = (other, by) => other.destroy({}, () => say('destroyed', {callId, by}));

  say('invite', {callId});
  req.on('cancel', () => say('cancelled', {callId}));
  try {
    const {uas, uac} = await srf.createB2BUA(req, res, process.env.CALLEE, {
      proxyRequestHeaders: ['Supported', 'Require'],
      proxyResponseHeaders: ['X-Custom', ...(process.env.PASSED || '').split(',').filter(Boolean)],
      headers: {'X-From-Call': callId},
    }, {
      // The callee may hang up before the caller has acknowledged.
      cbFinalizedUac: (dialog) => dialog.on('destroy', () => {
        gone = true;
        if (caller) end(caller, 'callee');
      }),
    });
    caller = uas;
    uas.on('destroy', () => end(uac, 'caller'));
    pass(uas, uac, callId, 'caller');
    pass(uac, uas, callId, 'callee');
    if (gone) end(uas, 'callee');
    else if (!uas.connected) end(uac, 'caller'); // its BYE came with its ACK, before anybody could listen for it
  } catch (err) {
    say('refused', {callId, status: err.status, reason: err.message});
  }
});
