// Connects callers with the phone of whom they call, all of which stand behind CALLEES; numbers outside (+…) go by GATEWAY.
// Who is in no list is not known here.
'use strict';

const {connect, say} = require('./application');

const srf = connect();
const {CALLEES, GATEWAY, KNOWN} = process.env;
const known = new Set(KNOWN.split(','));

srf.invite(async(req, res) => {
  const [, user] = /^sip:([^@;]+)@/.exec(req.uri);
  if (!user.startsWith('+') && !known.has(user)) return res.send(404);
  let caller;
  let gone = false;
  try {
    const {uas, uac} = await srf.createB2BUA(req, res, `sip:${user}@${user.startsWith('+') ? GATEWAY : CALLEES}`, {}, {
      // The callee may hang up before the caller has acknowledged.
      cbFinalizedUac: (dialog) => dialog.on('destroy', () => {
        gone = true;
        if (caller) caller.destroy();
      }),
    });
    caller = uas;
    uas.on('destroy', () => uac.destroy());
    if (gone) uas.destroy();
    else if (!uas.connected) uac.destroy(); // its BYE came with its ACK, before anybody could listen for it
  } catch (err) {
    say('refused', {user, status: err.status});
  }
});
