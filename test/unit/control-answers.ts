/** What each function is answered in each state of calls (`control-lab.ts`), by the answer. */

export const ANSWERS: { readonly [state: string]: { readonly [answer: string]: string } } = {
  nothing: {
    ok: 'makeCall makePredictiveCall',
    invalidCallId:
      'answerCall deflectCall generateDigits mute unmute holdCall retrieveCall ' +
      'consultationCall singleStepTransferCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
  },
  ringing: {
    ok: 'answerCall deflectCall makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    noActiveCall: 'generateDigits mute unmute holdCall consultationCall singleStepTransferCall',
    noHeldCall: 'retrieveCall',
    resourceBusy: 'makeCall',
  },
  talking: {
    ok:
      'generateDigits mute holdCall consultationCall singleStepTransferCall ' +
      'makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall unmute',
    noCallToAnswer: 'answerCall',
    noHeldCall: 'retrieveCall',
    resourceBusy: 'makeCall',
  },
  called: {
    ok:
      'generateDigits mute holdCall consultationCall singleStepTransferCall ' +
      'makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall unmute',
    noCallToAnswer: 'answerCall',
    noHeldCall: 'retrieveCall',
    resourceBusy: 'makeCall',
  },
  held: {
    ok:
      'retrieveCall consultationCall singleStepTransferCall makeCall ' +
      'makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall generateDigits mute unmute holdCall',
    noCallToAnswer: 'answerCall',
  },
  'held by both': {
    ok: 'retrieveCall consultationCall makeCall makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall generateDigits mute unmute holdCall',
    noCallToAnswer: 'answerCall',
    requestIncompatibleWithCall: 'singleStepTransferCall',
  },
  'held by the other': {
    ok:
      'generateDigits mute holdCall consultationCall makePredictiveCall ' +
      'clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall unmute',
    noCallToAnswer: 'answerCall',
    noHeldCall: 'retrieveCall',
    requestIncompatibleWithCall: 'singleStepTransferCall',
    resourceBusy: 'makeCall',
  },
  muted: {
    ok:
      'generateDigits unmute holdCall consultationCall singleStepTransferCall ' +
      'makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall mute',
    noCallToAnswer: 'answerCall',
    noHeldCall: 'retrieveCall',
    resourceBusy: 'makeCall',
  },
  'made, prompted': {
    ok: 'answerCall makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall',
    noActiveCall: 'generateDigits mute unmute holdCall consultationCall singleStepTransferCall',
    noHeldCall: 'retrieveCall',
    resourceBusy: 'makeCall',
  },
  'made, ringing': {
    ok: 'answerCall deflectCall makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'unmute',
    noHeldCall: 'retrieveCall',
    requestIncompatibleWithCall: 'singleStepTransferCall',
    resourceBusy: 'generateDigits mute holdCall consultationCall makeCall',
  },
  'made, talking': {
    ok:
      'generateDigits mute holdCall consultationCall singleStepTransferCall ' +
      'makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall unmute',
    noCallToAnswer: 'answerCall',
    noHeldCall: 'retrieveCall',
    resourceBusy: 'makeCall',
  },
  'consulting, ringing': {
    ok:
      'answerCall deflectCall reconnectCall transferCall makePredictiveCall ' +
      'clearConnection clearCall',
    invalidConnectionState: 'unmute retrieveCall',
    requestIncompatibleWithCall: 'singleStepTransferCall',
    resourceBusy: 'generateDigits mute holdCall consultationCall alternateCall makeCall',
  },
  consulting: {
    ok:
      'generateDigits mute holdCall consultationCall alternateCall reconnectCall ' +
      'transferCall singleStepTransferCall makePredictiveCall clearConnection ' +
      'clearCall',
    invalidConnectionState: 'deflectCall unmute retrieveCall',
    noCallToAnswer: 'answerCall',
    resourceBusy: 'makeCall',
  },
  alternated: {
    ok:
      'generateDigits mute holdCall consultationCall alternateCall reconnectCall ' +
      'transferCall singleStepTransferCall makePredictiveCall clearConnection ' +
      'clearCall',
    invalidConnectionState: 'deflectCall unmute retrieveCall',
    noCallToAnswer: 'answerCall',
    resourceBusy: 'makeCall',
  },
  transferred: {
    ok: 'makeCall makePredictiveCall',
    invalidCallId:
      'answerCall deflectCall generateDigits mute unmute holdCall retrieveCall ' +
      'consultationCall singleStepTransferCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
  },
  'transferred at one step': {
    ok: 'makeCall makePredictiveCall',
    invalidCallId:
      'answerCall deflectCall generateDigits mute unmute holdCall retrieveCall ' +
      'consultationCall singleStepTransferCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
  },
  'nailed up': {
    ok: 'makeCall makePredictiveCall',
    invalidCallId:
      'answerCall deflectCall generateDigits mute unmute holdCall retrieveCall ' +
      'consultationCall singleStepTransferCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
  },
  'nailed up, called': {
    ok:
      'generateDigits mute holdCall consultationCall singleStepTransferCall ' +
      'makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall unmute',
    noCallToAnswer: 'answerCall',
    noHeldCall: 'retrieveCall',
    resourceBusy: 'makeCall',
  },
  'nailed up, made': {
    ok:
      'generateDigits mute holdCall consultationCall singleStepTransferCall ' +
      'makePredictiveCall clearConnection clearCall',
    invalidConnectionId: 'alternateCall reconnectCall transferCall',
    invalidConnectionState: 'deflectCall unmute',
    noCallToAnswer: 'answerCall',
    noHeldCall: 'retrieveCall',
    resourceBusy: 'makeCall',
  },
};
