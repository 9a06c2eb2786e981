/** A legacy peer of a ring, as the programs of group 1 are (wire/ring.md, section 7.1). */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

const NOT_UNDERSTOOD = 'Message/Commande incompris(e).';

export class LegacyPeer implements AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  /** Texts of messages that were for this peer, with what was said of their senders. */
  readonly received: { readonly sender: string; readonly text: string }[] = [];
  predecessor: string | undefined;
  successor: string | undefined;
  ringId = '';

  private constructor(host: string, port: number, server: Server) {
    this.host = host;
    this.port = port;
    this.#server = server;
  }

  /** All peers of a ring listen on one port, each on a host of its own. */
  static async listen(host: string, port: number): Promise<LegacyPeer> {
    const server = createServer({ allowHalfOpen: true });
    const peer = new LegacyPeer(host, port, server);
    server.on('connection', (socket) => {
      let text = '';
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        text += bytes.toString();
        const [line, rest] = text.split('\n');
        if (rest === undefined || line === undefined) return;
        text = '';
        socket.end(`${peer.#answer(line)}\n`);
      });
    });
    server.listen(port, host);
    await once(server, 'listening');
    return peer;
  }

  /** Gets a ring ID, then enters as an original does: by the server, then by its entry member. */
  async enter(hashPort: string, welcomePort: string): Promise<void> {
    const [ringId = ''] = await askLine(hashPort, this.host);
    this.ringId = ringId;
    const [entry = ''] = await askLine(welcomePort, `yo:${ringId}:${this.host}`);
    const both = await askLine(`${entry}:${this.port}`, `yo:${ringId}:${this.host}`);
    [this.predecessor, this.successor] = both;
  }

  /** Sends as group 1 does: to the successor, wherever that is. */
  async send(to: string, text: string): Promise<readonly string[]> {
    const [, host = ''] = (this.successor ?? '').split(':');
    return askLine(`${host}:${this.port}`, `msg:${to}:${this.host}:${text}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #answer(line: string): string {
    const [command = '', first = '', second = '', ...rest] = line.split(':');
    if (command === 'rt?') return `${this.ringId}:${this.successor ?? ''}`;
    if (command === 'msg' && first === this.ringId) {
      this.received.push({ sender: second, text: rest.join(':') });
      return 'message reçu\nmessage reçu';
    }
    // The notice is applied, and answered like what is not understood.
    if (command === 'ctr' && first === '0') this.predecessor = `${second}:${rest[0] ?? ''}`;
    if (command === 'ctr' && first === '1') this.successor = `${second}:${rest[0] ?? ''}`;
    return NOT_UNDERSTOOD;
  }
}

/** One line to a port; the lines that come until it closes. */
export async function askLine(address: string, line: string): Promise<readonly string[]> {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  const socket = connect({ host, port: Number(port) });
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString();
  });
  socket.write(`${line}\n`);
  await once(socket, 'close');
  return text.split('\n').slice(0, -1);
}
