/** A session over the X Protocol, as far as a test needs it: a login without a password, and SQL. */

const empty = new Uint8Array(0);
/** Numbers of the messages, of the protocol's description. */
const authenticate = 4;
const executeStatement = 12;
const authenticateOk = 4;
const failed = 1;
const executeOk = 17;
const closed = -1;

interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

/** One session of root. */
export class XSession implements Disposable {
  readonly #connection: Deno.Conn;
  #read = empty;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async open(socketPath: string): Promise<XSession> {
    const session = new XSession(await Deno.connect({ transport: "unix", path: socketPath }));
    await session.#send(authenticate, [[1, "PLAIN"], [2, "\0root\0"]]);
    const { type, body } = await session.#until([authenticateOk, failed, closed]);
    if (type === authenticateOk) return session;
    throw new Error(`Cannot log in over the X Protocol: ${new TextDecoder().decode(body)}`);
  }

  /** What the client hears of a statement. */
  async sql(text: string): Promise<"done" | "refused" | "closed"> {
    await this.#send(executeStatement, [[3, "sql"], [1, text]]);
    const { type } = await this.#until([executeOk, failed, closed]);
    return type === executeOk ? "done" : type === failed ? "refused" : "closed";
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  /** A message whose fields are all short texts. */
  async #send(type: number, fields: readonly (readonly [number, string])[]): Promise<void> {
    const encoder = new TextEncoder();
    const parts = fields.map(([number, text]) => {
      const bytes = encoder.encode(text);
      return [(number << 3) | 2, bytes.length, ...bytes];
    });
    const body = new Uint8Array(parts.flat());
    const bytes = new Uint8Array(5 + body.length);
    new DataView(bytes.buffer).setUint32(0, body.length + 1, true);
    bytes[4] = type;
    bytes.set(body, 5);
    await this.#connection.write(bytes);
  }

  async #until(types: readonly number[]): Promise<Message> {
    while (true) {
      const message = await this.#message();
      if (types.includes(message.type)) return message;
    }
  }

  async #message(): Promise<Message> {
    while (true) {
      const have = this.#read;
      if (have.length >= 5) {
        const size = new DataView(have.buffer, have.byteOffset).getUint32(0, true);
        if (have.length >= 4 + size) {
          this.#read = have.slice(4 + size);
          return { type: have[4] ?? closed, body: have.slice(5, 4 + size) };
        }
      }
      const buffer = new Uint8Array(4_096);
      const count = await this.#connection.read(buffer).catch(() => null);
      if (count === null) return { type: closed, body: empty };
      this.#read = new Uint8Array([...have, ...buffer.subarray(0, count)]);
    }
  }
}
