// Turns every caller away: the flow of the original document.
'use strict';

const {connect, say} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  say('invite', {
    callId: req.get('Call-ID'),
    protocol: req.protocol,
    sourceAddress: req.source_address,
    sourcePort: req.source_port,
    calledNumber: req.calledNumber,
    callingNumber: req.callingNumber,
  });
  res.send(486, 'So sorry, busy right now', {
    headers: {'User-Agent': 'drachtio', 'X-Custom': 'my custom header value'},
  }, (err, response) => {
    if (err) say('failed', {reason: err.message});
    else say('sent', {callId: req.get('Call-ID'), status: response.status, to: response.get('To')});
  });
});
