// The conformance app of drachtio-srf: docs/conformance-app.md is the contract.
// DRACHTIO_SRF names the library, drachtio-srf (5.0) or drachtio-srf-4 (4.5):
//   drachtio-conformance client -- node conformance_apps/node/app.js
'use strict';

const fs = require('node:fs');
const Srf = require(process.env.DRACHTIO_SRF || 'drachtio-srf');

const env = process.env;
const METHODS = ['invite', 'message', 'options', 'subscribe', 'register', 'info', 'notify', 'publish'];
const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
const srf = new Srf();
const say = (event, details = {}) => process.stdout.write(`${JSON.stringify({event, ...details})}\n`);

function connect() {
  const {DRACHTIO_HOST: host, DRACHTIO_SECRET: secret} = env;
  if (env.DRACHTIO_MODE === 'outbound') {
    const server = srf.listen({port: 0, host: '127.0.0.1', secret});
    srf.on('listening', () => say('listening', {port: server.address().port}));
  }
  else {
    const tls = env.DRACHTIO_MODE === 'tls' ? {tls: {ca: fs.readFileSync(env.DRACHTIO_CA)}} : {};
    srf.connect({host, port: Number(env.DRACHTIO_PORT), secret, enablePing: true, pingInterval: 5000, ...tls});
  }
  srf.on('connect', (err, hostports, version) => {
    if (err) say('refused', {text: err.message});
    else say('connected', {hostports, version});
  });
  srf.on('error', (err) => say('failed', {text: err.message}));
}

const user = (req) => (/^sips?:([^@;]*)@/.exec(req.uri) || [])[1] || '';
const answered = (err) => err && say('failed', {text: err.message});

function inside(dialog, id) {
  const ok = (req, res) => res.send(200, answered);
  ['info', 'options', 'message', 'notify', 'update'].forEach((event) => dialog.on(event, ok));
  dialog.on('refer', (req, res) => res.send(202, answered));
  dialog.on('modify', (req, res) => res.send(200, {body: SDP}, answered));
  dialog.on('destroy', () => say('over', {id}));
  dialog.on('subscribe', async(req, res) => {
    const expires = req.get('Expires') || '60';
    res.send(202, {headers: {Expires: expires}}, answered);
    await notify(dialog, expires === '0');
  });
}

async function notify(dialog, ends) {
  const state = ends ? 'terminated' : 'active;expires=60';
  const headers = {Event: 'presence', 'Subscription-State': state};
  await dialog.request({method: 'NOTIFY', headers}).catch((err) => say('failed', {text: err.message}));
  if (ends) say('over', {id: ''});
}

// Accepts with a dialog that is heard from its first moment: a BYE can come in one piece with the echo of the 200, and
// what awaits createUAS goes on behind both.
function accept(req, res, opts) {
  return new Promise((resolve, reject) => srf.createUAS(req, res, opts, (err, dialog) => {
    if (err) return reject(err);
    inside(dialog, '');
    resolve(dialog);
  }));
}

async function call(req, res, word) {
  const plan = word.replace(/^(answer|ring)-?/, '');
  req.on('cancel', () => say('cancelled'));
  if (word.startsWith('ring')) res.send(180, answered);
  if (word === 'answer-after-prack') res.send(183, {body: SDP, headers: {Require: '100rel'}}, answered);
  if (word === 'ring') return;
  try {
    const dialog = await accept(req, res, {localSdp: SDP});
    await new Promise((resolve) => dialog.once('ack', resolve));
    if (plan === 'bye') dialog.destroy({}, () => say('over', {id: ''}));
    else if (plan === 'reinvite') await dialog.modify(SDP);
    else if (plan === 'info') {
      await dialog.request({method: 'INFO', headers: {'Content-Type': 'application/dtmf-relay'}, body: 'Signal=5\r\n'});
    }
    else if (plan === 'refer') {
      await dialog.request({method: 'REFER', headers: {'Refer-To': '<sip:carol@127.0.0.1>'}});
    }
  } catch (err) {
    say('failed', {text: err.message});
  }
}

async function proxy(req) {
  const words = (req.get('X-Proxy') || '').split(' ');
  const targets = req.get('X-Proxy-To').split(',').map((target) => target.trim());
  const opts = {
    remainInDialog: words.includes('remainInDialog'),
    followRedirects: words.includes('followRedirects'),
    forking: words.includes('simultaneous') ? 'simultaneous' : 'sequential',
  };
  try {
    const results = await srf.proxyRequest(req, targets, opts);
    for (const {msgs} of results.responses) msgs.forEach(({status}) => say('answer', {status}));
    say('proxied');
  } catch (err) { // a NOK is a mere text here
    say('failed', {text: err.message || String(err)});
  }
}

const jobs = {
  request: (job) => new Promise((resolve, reject) => {
    const {method, headers, body, uri} = job;
    srf.request(uri, {method, headers, body}, (err, sent) => {
      if (err) reject(err);
      else sent.on('response', (res) => res.status >= 200 && resolve(res.status));
    });
  }),
  async call(job) {
    let invite;
    const opts = {localSdp: SDP, headers: job.reliable ? {Supported: '100rel'} : {}};
    if (job.password) opts.auth = {username: job.user, password: job.password};
    const cancel = () => invite.cancel(() => undefined);
    try {
      const dialog = await srf.createUAC(job.uri, opts, {
        cbRequest: (err, req) => {
          invite = req;
          if (job.cancel === 'at-once') cancel();
        },
        cbProvisional: () => job.cancel === 'ringing' && cancel(),
      });
      inside(dialog, job.id);
      if (job.bye) await dialog.destroy();
      return 200;
    } catch (err) {
      if (err.status) return err.status;
      throw err;
    }
  },
};

jobs.subscribe = (job) => new Promise((resolve, reject) => {
  const headers = {Event: 'presence', Expires: job.expires || '60'};
  srf.createUAC(job.uri, {method: 'SUBSCRIBE', headers}).then((dialog) => {
    dialog.on('notify', (req, res) => {
      res.send(200, answered);
      if (/terminated/.test(req.get('Subscription-State') || '')) say('over', {id: job.id});
    });
    resolve(dialog.res ? dialog.res.status : 200);
  }, (err) => err.status ? resolve(err.status) : reject(err));
});

async function told(req, res) {
  const job = JSON.parse(req.body);
  const work = jobs[job.do];
  res.send(work ? 200 : 501, answered);
  if (!work) return;
  try {
    say('result', {id: job.id, status: await work(job)});
  } catch (err) {
    say('result', {id: job.id, text: err.message});
  }
}

async function handle(req, res) {
  const word = user(req);
  const status = /^respond-([1-6][0-9]{2})$/.exec(word);
  if (/;tag=/.test(req.get('To'))) res.send(200, answered); // of an early dialog, which is no Dialog yet
  else if (word === 'do') await told(req, res);
  else if (status) {
    const same = req.get('X-Echo');
    res.send(Number(status[1]), same ? {headers: {'X-Echo': same}} : {}, answered);
  }
  else if (word === 'echo') res.send(200, {headers: {'Content-Type': req.get('Content-Type')}, body: req.body}, answered);
  else if (word === 'proxy') await proxy(req);
  else if (word === 'accept' && req.method === 'SUBSCRIBE') {
    const expires = req.get('Expires') || '60';
    await notify(await accept(req, res, {headers: {Expires: expires}}), expires === '0');
  }
  else if (word === 'accept') res.send(200, {headers: {Contact: `${req.get('Contact')};expires=300`}}, answered);
  else if (req.method === 'INVITE' && /^(answer|ring)/.test(word)) await call(req, res, word);
  else res.send(501, answered);
}

METHODS.forEach((method) => srf[method]((req, res) => handle(req, res)));
process.stdin.on('end', () => process.exit(0)).resume();
connect();
