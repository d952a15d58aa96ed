// Takes short texts, and answers each with one of its own.
'use strict';

const {connect, say} = require('./application');

// drachtio-srf 4.5 counts characters where servers since 0.9 count octets, and would lose its way behind the echo of
// anything but ASCII.
const text = process.env.DRACHTIO_SRF === 'drachtio-srf-4' ? 'I am coming, Mr. Bell.' : 'I’m coming, Mr. Bell — ☎';

const srf = connect();

srf.message((req, res) => {
  say('message', {callId: req.get('Call-ID'), type: req.get('Content-Type'), body: req.body});
  res.send(200, {headers: {'Content-Type': 'text/plain; charset=utf-8'}, body: text});
});
