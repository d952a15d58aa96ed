// Accepts each subscription, notifies at its beginning and at each refresh, and once more when the watcher ends it.
'use strict';

const {connect, say} = require('./application');

const srf = connect();

srf.subscribe((req, res) => {
  const Event = req.get('Event');
  srf.createUAS(req, res, {headers: {Expires: req.get('Expires')}}, (err, dialog) => {
    if (err) return say('failed', {reason: err.message});
    const callId = dialog.sip.callId;
    const notify = (state, then) => dialog.request({method: 'NOTIFY', headers: {Event, 'Subscription-State': state}}, (failure, answer) => {
      if (failure) return say('failed', {reason: failure.message});
      say('notified', {callId, state, status: answer.status});
      if (then) then();
    });
    dialog.on('subscribe', (again, answer) => {
      answer.send(200, {headers: {Expires: again.get('Expires')}});
      say('refreshed', {callId, cseq: again.get('CSeq')});
      notify('active;expires=60');
    });
    dialog.on('unsubscribe', () => notify('terminated;reason=timeout', () => say('over', {callId})));
    notify('active;expires=60');
  });
});
