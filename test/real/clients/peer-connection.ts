/**
 * As much of WebRTC's RTCPeerConnection as a softphone needs to speak SIP: descriptions that look like a
 * browser's, and the states between them (JSEP, RFC 9429 4.1). No media.
 */

import { randomBytes } from 'node:crypto';

export type Description = { readonly type: 'offer' | 'answer'; readonly sdp: string };

const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i + 160).toString(16).toUpperCase()).join(
  ':',
);

export class PeerConnection extends EventTarget {
  readonly iceConnectionState = 'connected';
  readonly iceGatheringState = 'complete';
  signalingState: 'stable' | 'have-local-offer' | 'have-remote-offer' | 'closed' = 'stable';
  localDescription: Description | null = null;
  remoteDescription: Description | null = null;
  readonly #session = String(randomBytes(6).readUIntBE(0, 6));
  readonly #ufrag = randomBytes(3).toString('hex');
  readonly #password = randomBytes(12).toString('hex');
  #version = 1;

  async createOffer(): Promise<Description> {
    return { type: 'offer', sdp: this.#text('sendrecv') };
  }

  async createAnswer(): Promise<Description> {
    const asked = /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(
      this.remoteDescription?.sdp ?? '',
    )?.[1];
    const own = { sendonly: 'recvonly', recvonly: 'sendonly', inactive: 'inactive' } as const;
    return { type: 'answer', sdp: this.#text(own[asked as keyof typeof own] ?? 'sendrecv') };
  }

  async setLocalDescription(description: Description): Promise<void> {
    this.localDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-local-offer' : 'stable';
  }

  async setRemoteDescription(description: Description): Promise<void> {
    const wanted = description.type === 'answer' ? 'have-local-offer' : 'stable';
    if (this.signalingState !== wanted) {
      throw new Error(`${description.type} in state ${this.signalingState}`);
    }
    if (!/^m=audio /m.test(description.sdp)) throw new Error('no audio in the description');
    this.remoteDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
  }

  getSenders(): readonly never[] {
    return [];
  }

  close(): void {
    this.signalingState = 'closed';
  }

  #text(way: string): string {
    const lines = [
      'v=0',
      `o=- ${this.#session} ${this.#version++} IN IP4 127.0.0.1`,
      's=-',
      't=0 0',
      'a=group:BUNDLE 0',
      'a=msid-semantic: WMS',
      'm=audio 46154 UDP/TLS/RTP/SAVPF 0 8 101',
      'c=IN IP4 192.0.2.1',
      'a=rtcp:9 IN IP4 0.0.0.0',
      'a=candidate:1 1 udp 2122260223 192.0.2.1 46154 typ host generation 0',
      `a=ice-ufrag:${this.#ufrag}`,
      `a=ice-pwd:${this.#password}`,
      `a=fingerprint:sha-256 ${FINGERPRINT}`,
      'a=setup:actpass',
      'a=mid:0',
      `a=${way}`,
      'a=rtcp-mux',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
    ];
    return `${lines.join('\r\n')}\r\n`;
  }
}
