/**
 * docs/t-library.md is true: every request and event of T-Library has one row, what it promises exists
 * under that name, and what is not there has a reason.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { CAUSES } from '../../src/call/csta/causes.ts';
import { EVENT_NAMES } from '../../src/call/csta/event.ts';
import type { Happenings } from '../../src/client/index.ts';
import { NOTICES } from '../../src/cti/notices.ts';
import { SERVICES } from '../../src/cti/services.ts';
import { ROOT } from './source.ts';

/** Names of T-Library without the prefix Request. */
const REQUESTS = `
  RegisterClient QueryServer QueryAddress QueryCall QuerySwitch QueryLocation SetInputMask
  RegisterAddress UnregisterAddress RegisterAll UnregisterAll StartCallMonitoring StopCallMonitoring
  TransactionMonitoring
  MakeCall MakePredictiveCall AnswerCall ReleaseCall ClearCall HoldCall RetrieveCall RedirectCall
  SendDTMF
  InitiateTransfer CompleteTransfer MuteTransfer InitiateConference CompleteConference AlternateCall
  ReconnectCall MergeCalls
  SingleStepTransfer SingleStepConference DeleteFromConference
  ListenDisconnect ListenReconnect SetMuteOn SetMuteOff
  RouteCall ApplyTreatment GiveMusicTreatment GiveSilenceTreatment GiveRingBackTreatment
  AgentLogin AgentLogout AgentReady AgentNotReady AgentSetIdleReason ReserveAgent
  ReserveAgentAndGetAccessNumber
  SetDNDOn SetDNDOff CallForwardSet CallForwardCancel SetMessageWaitingOn SetMessageWaitingOff
  SetDNInfo SetCallInfo
  AttachUserData UpdateUserData DeleteUserData DeletePair
  MonitorNextCall CancelMonitoring
  LoginMailBox LogoutMailBox OpenVoiceFile PlayVoiceFile CloseVoiceFile CollectDigits
  GetAccessNumber CancelReqGetAccessNumber NetworkConsult NetworkAlternate NetworkTransfer
  NetworkMerge NetworkReconnect NetworkSingleStepTransfer NetworkPrivateService
  PrivateService DistributeUserEvent DistributeEvent SendReturnReceipt`;

/** Names of T-Library without the prefix Event. */
const EVENTS = `
  ServerConnected ServerDisconnected ServerInfo LinkConnected LinkDisconnected PrimaryChanged
  RestoreConnection Error ACK HardwareError
  Registered Unregistered RegisteredAll UnregisteredAll AddressInfo DNOutOfService DNBackInService
  OffHook OnHook Dialing NetworkReached DestinationBusy Ringing Established Held Retrieved Released
  Abandoned Bridged PartyChanged PartyAdded PartyDeleted PartyInfo DTMFSent DigitsCollected MuteOn
  MuteOff ListenDisconnected ListenReconnected
  Queued Diverted RouteRequest RouteUsed TreatmentRequired TreatmentApplied TreatmentNotApplied
  TreatmentEnd
  AttachedDataChanged CallInfoChanged UserEvent
  AgentLogin AgentLogout QueueLogout AgentReady AgentNotReady AgentAfterCallWork AgentIdleReasonSet
  AgentReserved
  DNDOn DNDOff ForwardSet ForwardCancel MessageWaitingOn MessageWaitingOff MailBoxLogin MailBoxLogout
  MonitoringNextCall MonitoringCancelled
  CallCreated CallDataChanged CallDeleted CallPartyAdded CallPartyState CallPartyMoved
  CallPartyDeleted
  RemoteConnectionSuccess RemoteConnectionFailed ReqGetAccessNumberCanceled AnswerAccessNumber
  LocationInfo TransactionStatus NetworkCallStatus NetworkPrivateInfo
  PrivateInfo ResourceAllocated ResourceFreed ResourceInfo SwitchInfo ReturnReceipt VoiceFileOpened
  VoiceFileClosed VoiceFileEndPlay`;

type Row = {
  readonly name: string;
  readonly here: string;
  readonly state: string;
  readonly why: string;
};

function rowsOf(section: string): Row[] {
  const text = readFileSync(join(ROOT, 'docs/t-library.md'), 'utf8');
  const part = text.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  return part
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => {
      const [name = '', here = '', state = '', why = ''] = line
        .slice(1)
        .split('|')
        .map((cell) => cell.trim());
      return { name, here, state, why };
    });
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

const SECTIONS = { Requests: words(REQUESTS), Events: words(EVENTS) };
/** What exists under a name that is not a service, an event or a notification. */
const CAUSE_WORDS: ReadonlySet<string> = new Set(CAUSES);
const STATE_WORDS: ReadonlySet<string> = new Set(
  SERVICES.setAgentState.params.shape.requestedAgentState.options,
);
const NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(SERVICES),
  ...EVENT_NAMES,
  ...Object.keys(NOTICES),
]);
/** What the client library tells by itself. */
const CLIENT: readonly (keyof Happenings)[] = ['away', 'serving', 'afresh', 'eventsLost', 'over'];
const CLIENT_WORDS: ReadonlySet<string> = new Set(CLIENT);
/** Answers that have no name of their own. */
const UNNAMED = ['JSON-RPC error', 'JSON-RPC result', 'client library'];

for (const [section, names] of Object.entries(SECTIONS)) {
  test(`${section} of T-Library: each has one row`, (t) => {
    t.deepEqual(
      rowsOf(section)
        .map((row) => row.name)
        .sort(),
      [...names].sort(),
    );
  });

  for (const { name, here, state, why } of rowsOf(section)) {
    test(`${section} of T-Library: ${name}`, (t) => {
      if (state !== 'yes') {
        t.true(state === 'n/a' || state === 'planned', `"${state}" is no state`);
        t.not(why, '', 'why is it not there?');
        t.is(here, '');
        return;
      }
      const quoted = [...here.matchAll(/`([^`]+)`/g)].map((m) => m[1] ?? '');
      for (const word of quoted) {
        const known =
          NAMES.has(word) ||
          CAUSE_WORDS.has(word) ||
          STATE_WORDS.has(word) ||
          CLIENT_WORDS.has(word);
        t.true(known || /^(all|callId|deviceId)$/.test(word), `nothing is called ${word}`);
      }
      const named = quoted.some((word) => NAMES.has(word));
      t.true(named || UNNAMED.some((text) => here.startsWith(text)), 'which service or event?');
    });
  }
}
