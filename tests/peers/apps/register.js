// A registrar that grants what is asked for.
'use strict';

const {connect, say} = require('./application');

const srf = connect();

srf.register((req, res) => {
  const expires = req.get('Expires');
  const [{uri}] = req.getParsedHeader('Contact');
  say('register', {callId: req.get('Call-ID'), contact: uri, expires});
  res.send(200, {headers: {Contact: `${req.get('Contact')};expires=${expires}`}});
});
