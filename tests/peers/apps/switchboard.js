// Does with a call what the user part of its Request-URI says (proxy5060: to that port), and calls when the test says so.
'use strict';

const readline = require('readline');
const {connect, say, localSdp} = require('./application');

const srf = connect();

const deeds = {
  answer: (req, res) => srf.createUAS(req, res, {localSdp}),
  'hang-up': async(req, res) => {
    const dialog = await srf.createUAS(req, res, {localSdp});
    dialog.once('ack', () => dialog.destroy());  // a BYE may not overtake the ACK
  },
  reject: (req, res) => res.send(486),
  ring: (req, res) => res.send(180),
  proxy: (req, res, port) => srf.proxyRequest(req, `sip:callee@127.0.0.1:${port}`, {remainInDialog: true}),
};

srf.invite(async(req, res) => {
  const [, user, port] = /^sip:([a-z-]+)(\d*)@/.exec(req.uri);
  try {
    await deeds[user](req, res, port);
  } catch (err) {
    say('failed', {user, reason: err.message});
  }
});

// Calls `uri` and hangs up, unless `wait` leaves that to the far end.
async function call({uri, wait}) {
  try {
    const dialog = await srf.createUAC(uri, {localSdp});
    await new Promise((over) => wait ? dialog.on('destroy', over) : dialog.destroy({}, over));
  } catch (err) {
    if (!err.status) say('failed', {uri, reason: err.message});
  }
}

// Each line on stdin is {"uri": ..., "calls": N, "at_once": N, "wait": ...}; says `dialled` when those calls are over.
readline.createInterface({input: process.stdin}).on('line', async(line) => {
  const {uri, calls, at_once, wait} = JSON.parse(line);
  let left = calls;
  const one = async() => { while (left-- > 0) await call({uri, wait}); };
  await Promise.all(Array.from({length: at_once}, one));
  say('dialled', {uri, calls});
});
