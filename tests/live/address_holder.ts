/**
 * A process that holds a virtual address as an agent does, for the tests that freeze and kill one:
 *
 *     deno run -A address_holder.ts ADDRESS PREFIX INTERFACE LEASE_MS LEADERSHIP_MS
 *
 * It says "taken", and "given up" when its leadership was over because it was frozen.
 */
import { createClock } from "../../agent/real/clock.ts";
import { VirtualAddress } from "../../agent/real/address.ts";

/** A quorum that always answers is asked so often. */
const askEveryMs = 100;

if (import.meta.main) await hold(Deno.args);

async function hold(words: readonly string[]): Promise<void> {
  const [address = "", prefix, name = "", leaseMs, leadership] = words;
  const leadershipMs = Number(leadership);
  const clock = createClock();
  let confirmedAt = clock.now();
  const virtual = new VirtualAddress({
    vip: { address, prefix: Number(prefix), interface: name, leaseMs: Number(leaseMs) },
    clock,
    log: { write: (_level, sentence) => say(sentence) },
    leadershipMs,
    confirmedAt: () => confirmedAt,
  });
  const timer = setInterval(async () => {
    if (clock.now() - confirmedAt < leadershipMs) {
      confirmedAt = clock.now();
      return virtual.renew();
    }
    clearInterval(timer);
    await virtual.drop();
    say("given up");
  }, askEveryMs);
  const { signal } = new AbortController();
  const opened = Promise.resolve();
  await virtual.take({ oldLeaderSilentMs: null, released: true, opened, signal });
  say("taken");
}

function say(sentence: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${sentence}\n`));
}
