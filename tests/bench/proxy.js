// Proxies every call to the SIP URI CALLEE, with the server in the way of the dialog: the application of a proxied call.
'use strict';

const {connect, say} = require('../peers/apps/application');

const srf = connect();

srf.invite((req) => {
  srf.proxyRequest(req, [process.env.CALLEE], {remainInDialog: true}, (err) => {
    if (err) say('failed', {reason: `${err}`});
  });
});
