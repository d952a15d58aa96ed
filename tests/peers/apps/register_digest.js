// A registrar that asks for a password (digest, RFC 2617, without qop).
'use strict';

const {createHash} = require('node:crypto');
const {connect, say} = require('./application');

const REALM = 'test';
const NONCE = '0123456789abcdef';
const USERS = {1001: 'secret'};

const md5 = (text) => createHash('md5').update(text).digest('hex');

function expected(method, {username, uri}) {
  return md5(`${md5(`${username}:${REALM}:${USERS[username]}`)}:${NONCE}:${md5(`${method}:${uri}`)}`);
}

const srf = connect();

srf.register((req, res) => {
  const callId = req.get('Call-ID');
  if (!req.has('Authorization')) {
    say('challenge', {callId});
    const challenge = `Digest realm="${REALM}", nonce="${NONCE}", algorithm=MD5`;
    return res.send(401, {headers: {'WWW-Authenticate': challenge}});
  }
  const given = Object.fromEntries(
    [...req.get('Authorization').matchAll(/(\w+)="?([^",]+)"?/g)].map(([, name, value]) => [name, value]));
  const right = given.nonce === NONCE && given.response === expected('REGISTER', given);
  say('register', {callId, username: given.username, right, contact: req.get('Contact')});
  if (right) res.send(200, {headers: {Contact: `${req.get('Contact')};expires=60`}});
  else res.send(403);
});
