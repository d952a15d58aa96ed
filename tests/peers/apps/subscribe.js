// Accepts each subscription, notifies once, and ends it with a second notification.
'use strict';

const {connect, say} = require('./application');

const srf = connect();

srf.subscribe((req, res) => {
  const event = req.get('Event');
  srf.createUAS(req, res, {headers: {Expires: req.get('Expires')}}, (err, dialog) => {
    if (err) return say('failed', {reason: err.message});
    const callId = dialog.sip.callId;
    const notify = (state, then) => dialog.request({
      method: 'NOTIFY',
      headers: {Event: event, 'Subscription-State': state, 'Content-Type': 'text/plain'},
      body: state,
    }, (failure, answer) => {
      if (failure) return say('failed', {reason: failure.message});
      say('notified', {callId, state, status: answer.status});
      then();
    });
    notify('active;expires=60', () => notify('terminated;reason=noresource', () => say('over', {callId})));
  });
});
