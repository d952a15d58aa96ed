// Says that it is there.
'use strict';

const {connect, say} = require('./application');

const srf = connect();

srf.options((req, res) => {
  say('options', {callId: req.get('Call-ID'), accept: req.get('Accept')});
  res.send(200, {headers: {Allow: 'INVITE, ACK, BYE, CANCEL, OPTIONS', Accept: 'application/sdp'}});
});
