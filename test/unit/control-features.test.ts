/** Calls made by programs to and from devices whose users take no calls, or have them sent elsewhere. */

import test from 'ava';
import { makeCall } from '../../src/call/control/make.ts';
import { setDoNotDisturb, setForwarding } from '../../src/call/device/commands.ts';
import { command, settle, stage, view } from './control-lab.ts';

const call = { callingDevice: '1001', calledDevice: '1002' };

for (const swap of [false, true]) {
  test(`who takes no calls may call${swap ? '; a new primary knows it too' : ''}`, (t) => {
    const cast = stage('');
    const { lab } = cast;
    command(lab, (cx) => setDoNotDisturb(cx, { device: '1001', doNotDisturbOn: true }));
    command(lab, (cx) =>
      setForwarding(cx, {
        device: '1001',
        forwardingType: 'forwardImmediate',
        activateForward: true,
        forwardDN: '1003',
      }),
    );
    if (swap) lab.swap(true);
    t.like(
      command(lab, (cx) => makeCall(cx, call)),
      { connection: { deviceId: '1001' } },
    );
    settle(cast, 2000);
    t.is(view(cast), '1:1001 connected, 1:1002 connected');
  });

  test(`who does not want to be disturbed is not called${swap ? ', by nobody' : ''}`, (t) => {
    const { lab } = stage('');
    command(lab, (cx) => setDoNotDisturb(cx, { device: '1002', doNotDisturbOn: true }));
    if (swap) lab.swap(true);
    t.like(
      command(lab, (cx) => makeCall(cx, call)),
      { refused: 'requestIncompatibleWithDevice' },
    );
  });
}
