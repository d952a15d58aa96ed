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
  try {
    const {uas, uac} = await srf.createB2BUA(req, res, `sip:${user}@${user.startsWith('+') ? GATEWAY : CALLEES}`);
    uas.on('destroy', () => uac.destroy());
    uac.on('destroy', () => uas.destroy());
  } catch (err) {
    say('refused', {user, status: err.status});
  }
});
