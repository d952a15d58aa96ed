// Takes short texts, and answers each with one of its own.
'use strict';

const {connect, say} = require('./application');

const srf = connect();

srf.message((req, res) => {
  say('message', {callId: req.get('Call-ID'), type: req.get('Content-Type'), body: req.body});
  res.send(200, {headers: {'Content-Type': 'text/plain; charset=utf-8'}, body: 'I’m coming, Mr. Bell — ☎'});
});
