/** Waits for a server that was just started on a copy. Pure: time and server are ports. */
import type { Host, Ticker } from "./ports.ts";

/** A server that recovers from its copied log may take long; a dead one is seen earlier. */
const startMsMax = 3_600_000;
const pollMs = 200;
/** One that a service manager starts may be between two processes: so many looks must miss it. */
const absentMax = 3;

/** Gives the GTID set of the server as soon as it answers; rejects with why it does not. */
export async function untilAnswers(
  { host, ticker }: { readonly host: Host; readonly ticker: Ticker },
  signal: AbortSignal,
): Promise<string> {
  const endsAt = ticker.now() + startMsMax;
  let absent = 0;
  for (;;) {
    try {
      return await host.executed();
    } catch (error) {
      absent = await host.serverRuns() ? 0 : absent + 1;
      if (absent >= absentMax) {
        throw new Error(`The new server ended at once; ${host.whyItDied()}`, { cause: error });
      }
      if (ticker.now() >= endsAt) throw error;
    }
    await ticker.wait(pollMs, signal);
  }
}
