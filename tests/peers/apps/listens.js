// Answers every call and says when it is over. LISTENS says how the dialog is had: 'callback' of createUAS, or 'await'.
'use strict';

const {connect, say, localSdp} = require('./application');

const srf = connect();

function listen(dialog) {
  dialog.on('destroy', () => say('destroyed', {callId: dialog.sip.callId}));
  say('listening', {callId: dialog.sip.callId});
}

const deeds = {
  callback: (req, res) => srf.createUAS(req, res, {localSdp}, (err, dialog) => {
    if (err) say('failed', {reason: err.message});
    else listen(dialog);
  }),
  await: async(req, res) => listen(await srf.createUAS(req, res, {localSdp})),
};

srf.invite(deeds[process.env.LISTENS]);
