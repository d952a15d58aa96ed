// Answers every call and waits for the caller to hang up: the application of a basic call, and nothing else.
'use strict';

const {connect, say, localSdp} = require('../peers/apps/application');

const srf = connect();

srf.invite((req, res) => {
  srf.createUAS(req, res, {localSdp}, (err, dialog) => {
    if (err) say('failed', {reason: err.message});
    // A connection that the server has made for this call is the application's to close.
    else dialog.on('destroy', () => process.env.DRACHTIO_LISTEN && srf.endSession(req));
  });
});
