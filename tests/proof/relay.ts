/**
 * A program between hosts that hands every byte on late, as this kernel cannot delay packets:
 *
 *     deno run -A relay.ts DELAY_MS PORT=HOST:PORT...
 *
 * The rules of a host lead its connections here; see `delayRules`.
 */

/** One port of the relay, and where it leads. */
export interface Way {
  readonly port: number;
  readonly toHost: string;
  readonly toPort: number;
}

/** A text for `nft -f` in a host: its connections go through the relay. */
export function delayRules(relay: string, ways: readonly Way[]): string {
  const rules = ways.map(({ port, toHost, toPort }) =>
    `    ip daddr ${toHost} tcp dport ${toPort} dnat to ${relay}:${port}`
  );
  // Connections from before would go on without it.
  const ends = ways.map(({ toHost, toPort }) =>
    `    ip daddr ${toHost} tcp dport ${toPort} reject with tcp reset`
  );
  return [
    "table ip delay {",
    "  chain turn { type nat hook output priority -100;",
    ...rules,
    "  }",
    "  chain end { type filter hook output priority 0;",
    ...ends,
    "  }",
    "}",
    "",
  ].join("\n");
}

/** The words that the program takes for these ways. */
export function relayWords(delayMs: number, ways: readonly Way[]): readonly string[] {
  return [
    String(delayMs),
    ...ways.map(({ port, toHost, toPort }) => `${port}=${toHost}:${toPort}`),
  ];
}

if (import.meta.main) serve(Deno.args);

function serve([delayMs, ...words]: readonly string[]): void {
  for (const word of words) {
    const [, port, hostname = "", toPort] = /^(\d+)=(.+):(\d+)$/.exec(word) ?? [];
    const listener = Deno.listen({ hostname: "0.0.0.0", port: Number(port) });
    accept(listener, { hostname, port: Number(toPort), delayMs: Number(delayMs) });
  }
}

async function accept(
  listener: Deno.Listener,
  to: { readonly hostname: string; readonly port: number; readonly delayMs: number },
): Promise<void> {
  for await (const near of listener) {
    Deno.connect({ hostname: to.hostname, port: to.port }).then((far) => {
      handOn(near, far, to.delayMs);
      handOn(far, near, to.delayMs);
    }, () => near.close());
  }
}

/** Every piece leaves so long after it came, and they keep their order. */
async function handOn(from: Deno.Conn, to: Deno.Conn, delayMs: number): Promise<void> {
  const buffer = new Uint8Array(65_536);
  let last: Promise<unknown> = Promise.resolve();
  try {
    while (true) {
      const length = await from.read(buffer);
      const piece = length === null ? null : buffer.slice(0, length);
      const due = new Promise((resolve) => setTimeout(resolve, delayMs));
      last = Promise.all([last, due]).then(() => piece === null ? end(to) : writeAll(to, piece));
      last.catch(() => {});
      if (piece === null) return;
    }
  } catch {
    // One side is gone: the other one hears it as late as everything else.
    setTimeout(() => end(to), delayMs);
  }
}

async function writeAll(to: Deno.Conn, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length;) done += await to.write(piece.subarray(done));
}

function end(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // The other direction closed it already.
  }
}
