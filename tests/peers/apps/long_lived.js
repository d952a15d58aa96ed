// Calls that have a session timer, and subscribes, as the test says: {"do": ..., "id": ..., "uri": ...} on each line of stdin.
'use strict';

const readline = require('readline');
const {connect, say, localSdp} = require('./application');

const srf = connect();

// Calls; what concerns the session is told, and that it was hung up.
function call({id, uri}) {
  srf.createUAC(uri, {localSdp, headers: {Supported: 'timer', 'Session-Expires': '3;refresher=uac'}}, {}, (err, dialog) => {
    if (err) return say('failed', {id, reason: err.message});
    say('answered', {id});
    for (const event of ['modify', 'refresh', 'hold', 'unhold', 'update']) dialog.on(event, () => say('disturbed', {id, event}));
    dialog.on('destroy', (bye) => say('over', {id, method: bye.method, reason: bye.get('Reason')}));
  });
}

// Subscribes, and ends the subscription when the first notification has come.
function subscribe({id, uri}) {
  srf.createUAC(uri, {method: 'SUBSCRIBE', headers: {Event: 'presence', Expires: '60'}}, {}, (err, dialog) => {
    if (err) return say('failed', {id, reason: err.message});
    say('subscribed', {id});
    dialog.on('notify', (req, res) => {
      const state = req.get('Subscription-State');
      res.send(200);
      say('notified', {id, state});
      if (!state.startsWith('active')) return say('over', {id});
      dialog.request({method: 'SUBSCRIBE', headers: {Event: 'presence', Expires: '0'}}, (failure, answer) => {
        if (failure) say('failed', {id, reason: failure.message});
        else say('unsubscribed', {id, status: answer.status});
      });
    });
  });
}

const deeds = {call, subscribe};

readline.createInterface({input: process.stdin}).on('line', (line) => {
  const wish = JSON.parse(line);
  deeds[wish.do](wish);
});
