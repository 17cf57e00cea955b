/** A line of streamgen: one connection, or one UDP socket, to the system under test. */

import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';

export type Transport = 'udp' | 'tcp' | 'tls';

export class Line {
  /** host:port of this side, as it stands in Via and Contact. */
  readonly here: string;
  onMessage: (message: string) => void = () => {};
  readonly send: (text: string) => void;

  private constructor(here: string, send: (text: string) => void) {
    this.here = here;
    this.send = send;
  }

  static async connect(t: Transport, from: string, ip: string, port: number): Promise<Line> {
    if (t === 'udp') return Line.bind(from, 0, ip, port);
    const socket: Socket = connect({ host: ip, port, localAddress: from });
    socket.setNoDelay(true);
    await once(socket, 'connect');
    const here = `${from}:${socket.localPort}`;
    if (t === 'tcp') return Line.of(socket, here);
    const secure = tlsConnect({ socket, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    return Line.of(secure, here);
  }

  static of(socket: Socket, here: string): Line {
    // what is said in one turn of this thread leaves in one write
    let pending = '';
    const line = new Line(here, (text) => {
      if (pending === '') setImmediate(flush);
      pending += text;
    });
    const flush = (): void => {
      socket.write(pending, 'latin1');
      pending = '';
    };
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      const [messages, left] = messagesOf(rest + part);
      rest = left;
      for (const m of messages) line.onMessage(m);
    });
    socket.on('error', (e: Error) => {
      throw e;
    });
    return line;
  }

  static async bind(from: string, port: number, ip: string, to: number): Promise<Line> {
    const socket: Datagrams = createSocket({ type: 'udp4', recvBufferSize: 8 << 20 });
    await new Promise<void>((done) => socket.bind(port, from, done));
    const line = new Line(`${from}:${socket.address().port}`, (text) =>
      socket.send(Buffer.from(text, 'latin1'), to, ip),
    );
    socket.on('message', (bytes) => line.onMessage(bytes.toString('latin1')));
    return line;
  }
}

function once(socket: Socket, event: string): Promise<void> {
  return new Promise((done, failed) => {
    socket.once(event, () => done());
    socket.once('error', failed);
  });
}

/** The whole messages at the beginning of `text`, and what is left. */
function messagesOf(text: string): readonly [readonly string[], string] {
  const out: string[] = [];
  let from = 0;
  for (;;) {
    while (text.startsWith('\r\n', from)) from += 2;
    const end = text.indexOf('\r\n\r\n', from);
    if (end < 0) break;
    const at = text.indexOf('\r\nContent-Length:', from);
    const length = at < 0 || at > end ? 0 : Number.parseInt(text.slice(at + 17, at + 27), 10);
    if (text.length < end + 4 + length) break;
    out.push(text.slice(from, end + 4 + length));
    from = end + 4 + length;
  }
  return [out, text.slice(from)];
}
