/** Faults of time: clocks that jump, and a network on which every answer is late. */
import assert from "node:assert/strict";
import { startDetached } from "../../mysql/process.ts";
import { pause } from "../../mysql/time_left.ts";
import { must, signalOne } from "../live/hosts_sweep.ts";
import type { HostsLab } from "../live/hosts_lab.ts";
import { agentPort, mysqlPort } from "../live/hosts_lab_node.ts";
import { type Fault, nothing, pairOf, type Scene } from "./fault.ts";
import { delayRules, relayWords, type Way } from "./relay.ts";

const hourSeconds = 3_600;
const wholeMs = 60_000;
const commandMs = 30_000;
/** There and back, an answer is 200 ms late. */
const oneWayMs = 100;
const relayPortFirst = 20_000;
const relayProgram = new URL("relay.ts", import.meta.url).pathname;

export const timeFaults: readonly Fault[] = [
  {
    name: "delay",
    title: "every answer between hosts is 200 ms late",
    made: "a TCP relay behind nftables dnat, 100 ms each way",
    healed: "rules removed, relay killed",
    hosts: 3,
    lasts: "a while",
    expect: { leader: "any", writes: "return" },
    make: delay,
    heal: endDelay,
  },
  {
    name: "clock",
    title: "the clock of the leader's host jumps an hour ahead, then an hour back",
    made: "libfaketime on its agent, after a hand-over to it",
    healed: "offset 0",
    hosts: 3,
    needs: "clock",
    lasts: "a moment",
    expect: { leader: "another", writes: "return", handoversMax: 1 },
    make: jump,
    heal: nothing,
  },
];

/** Where libfaketime is; null where it is not installed. */
export function fakeClockLibrary(): string | null {
  for (const { name } of Deno.readDirSync("/usr/lib")) {
    const path = `/usr/lib/${name}/faketime/libfaketimeMT.so.1`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

async function jump(scene: Scene): Promise<void> {
  const library = fakeClockLibrary();
  assert.ok(library !== null, "libfaketime is installed");
  const [node] = pairOf(scene);
  node.fakeClock(library);
  node.signalAgent("SIGKILL");
  await node.agentGone();
  await node.startAgent();
  const { lab, awayMs } = scene;
  assert.ok(await lab.whole(wholeMs), await lab.sentences());
  const handed = await node.xenon(["raft", "trytoleader"], commandMs);
  assert.equal(await lab.leader(wholeMs), node, handed.stderrTail);
  for (const seconds of [hourSeconds, -hourSeconds, 0]) {
    node.setClock(seconds);
    await pause(awayMs / 3);
    const ahead = await node.clock() - Date.now() / 1_000;
    assert.ok(Math.abs(ahead - seconds) < hourSeconds / 2, `the clock is ${ahead} s ahead`);
  }
}

/** For every host a way to every other one's agent and server. */
function waysOf(lab: HostsLab): readonly Way[] {
  return lab.nodes.flatMap(({ host }, index) =>
    [agentPort, mysqlPort].map((toPort, which) => {
      return { port: relayPortFirst + 2 * index + which, toHost: host.address, toPort };
    })
  );
}

async function delay({ lab }: Scene): Promise<void> {
  const { client } = lab.network;
  const ways = waysOf(lab);
  const program = [Deno.execPath(), "run", "--quiet", "-A", relayProgram];
  const command = client.command([...program, ...relayWords(oneWayMs, ways)]);
  await startDetached(command, { outputFile: "/dev/null" });
  const listens = async () => {
    const table = await must(client.command(["ss", "-Hltn"]));
    return ways.every(({ port }) => table.includes(`:${port} `));
  };
  while (!await listens()) await pause(oneWayMs);
  for (const { host } of lab.nodes) {
    const others = ways.filter(({ toHost }) => toHost !== host.address);
    await must(host.command(["nft", "-f", "-"]), delayRules(client.address, others));
  }
}

/** The relay goes first: while the rules are there, both ends of its connections hear of that. */
async function endDelay({ lab }: Scene): Promise<void> {
  for (const pid of await lab.network.client.pids()) signalOne(pid, "SIGKILL");
  for (const { host } of lab.nodes) {
    await must(host.command(["nft", "delete", "table", "ip", "delay"]));
  }
}
