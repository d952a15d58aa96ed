// Rings for ever; the caller gives up.
'use strict';

const {connect, say} = require('./application');

const srf = connect();

srf.invite((req, res) => {
  say('invite', {callId: req.get('Call-ID')});
  req.on('cancel', (cancel) => say('cancelled', {callId: cancel.get('Call-ID'), method: cancel.method}));
  res.send(180);
});
