/**
 * `xenon demo`: three real servers and agents on this machine, writers that never stop, a killed
 * server, a killed node, and a count of every acknowledged write at the end.
 */
import { type Failover, failOver, watchReturn } from "./demo/failover.ts";
import { findMysqld, programOf, templateFolder } from "./demo/find_mysqld.ts";
import { Lab } from "./demo/lab.ts";
import type { LabNode } from "./demo/lab_node.ts";
import { Ledger } from "./demo/ledger.ts";
import { LiveView } from "./demo/live_view.ts";
import { Locator } from "./demo/locator.ts";
import { judge, type Verdict } from "./demo/verdict.ts";
import { Workload } from "./demo/workload.ts";
import { exitCodes } from "./exit.ts";
import type { DemoOptions, World } from "./ports.ts";
import { pause } from "../mysql/time_left.ts";

/** How long the writers write undisturbed before and after each fault. */
const calmMs = 3_000;
/** A killed node stays away for a moment, so that the cluster is seen running without it. */
const awayMs = 2_000;

const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs the demonstration. The number is the exit code: 1 when anything was lost or stood still. */
export async function runDemo(options: DemoOptions, world: World): Promise<number> {
  const mysqld = await findMysqld(options.mysqld, world);
  const view = new LiveView();
  const program = programOf(world);
  const lab = new Lab({
    mysqld,
    cacheFolder: templateFolder(world),
    program,
    timing: "default",
    say: (sentence) => view.say(sentence),
  });
  const interrupt = interrupted();
  let kept = false;
  try {
    const played = play(lab, { view, writers: options.writers });
    // Where the interrupt wins, the play fails soon after, as its servers are ended below.
    played.catch(() => {});
    const ended = await Promise.race([played, interrupt.signalled]);
    if (typeof ended === "string") {
      view.say(`Stopped by ${ended}: ending all servers and agents`);
      return exitCodes.failed;
    }
    kept = options.keep;
    return ended;
  } finally {
    await view[Symbol.asyncDispose]();
    if (kept) explainKept(lab, { view, program });
    else await lab.close();
    interrupt.forget();
  }
}

interface Stage {
  readonly view: LiveView;
  readonly writers: number;
}

async function play(lab: Lab, { view, writers }: Stage): Promise<number> {
  await lab.open();
  await lab.waitWhole(20_000);
  await lab.warm();
  await view.table(lab);
  const ledger = new Ledger();
  const failovers: Failover[] = [];
  {
    await using locator = new Locator(lab.nodes.map(({ id }) => id));
    locator.start();
    await using workload = new Workload({ locator, ledger, account: lab.account, writers });
    workload.start();
    await using table = view;
    table.watch(lab, ledger);
    view.say(`${writers} writers insert integers that were never used before, every 5 ms each`);
    await pause(calmMs);
    failovers.push(await killServer(lab, ledger, view));
    await pause(calmMs);
    failovers.push(await killNode(lab, ledger, view));
    await pause(calmMs);
  }
  await view.table(lab);
  view.say("The writers stopped: counting what they were promised on every server");
  return conclude(await judge(lab, ledger), failovers, view);
}

/** The first act: the leader's server dies, its agent stays. */
async function killServer(lab: Lab, ledger: Ledger, view: LiveView): Promise<Failover> {
  const say = (sentence: string) => view.say(sentence);
  const failover = await failOver({
    lab,
    ledger,
    say,
    what: "kill -9 of mysqld",
    fault: (leader) => leader.signalServer("SIGKILL"),
  });
  await bringBack(lab, failover.former, view);
  return failover;
}

/** The second act: server and agent of the leader die together, as with a host. */
async function killNode(lab: Lab, ledger: Ledger, view: LiveView): Promise<Failover> {
  const say = (sentence: string) => view.say(sentence);
  const failover = await failOver({
    lab,
    ledger,
    say,
    what: "kill -9 of mysqld and agent",
    fault: async (leader) => {
      leader.signalAgent("SIGKILL");
      await leader.signalServer("SIGKILL");
    },
  });
  await pause(awayMs);
  say(`Starting the agent ${failover.former.id} again; it starts its server by itself`);
  await failover.former.startAgent();
  await bringBack(lab, failover.former, view);
  return failover;
}

/** A server may come back with writes that nobody was told of; then it gets an empty new copy. */
async function bringBack(lab: Lab, former: LabNode, view: LiveView): Promise<void> {
  const say = (sentence: string) => view.say(sentence);
  if (await watchReturn(lab, former, say) !== "invalid") return;
  say(`Its copy holds writes that were never acknowledged: it begins again with an empty server`);
  await former.replaceCopy();
  await watchReturn(lab, former, say);
}

function conclude(
  verdict: Verdict,
  failovers: readonly Failover[],
  view: LiveView,
): number {
  const seen = failovers.filter(({ leader }) => leader !== null).length;
  view.say(
    `${verdict.unknown} writes had an unknown outcome, ${verdict.failed} were refused; ` +
      `read back from ${verdict.checked.join(", ")}`,
  );
  for (const server of verdict.behind) view.say(`${server} did not catch up with the leader`);
  const outages = failovers.map(({ outageMs }) => `${Math.round(outageMs)} ms`).join(" and ");
  view.say(`${seen} of ${failovers.length} failovers seen; writers were silent for ${outages}`);
  const examples = verdict.lost === 0 ? "" : `, for instance ${verdict.examples.join(", ")}`;
  view.say(`${verdict.acknowledged} acknowledged, ${verdict.lost} lost${examples}`);
  const complete = verdict.lost === 0 && verdict.behind.length === 0;
  const good = complete && verdict.acknowledged > 0 && seen === failovers.length;
  return good ? exitCodes.ok : exitCodes.failed;
}

function explainKept(lab: Lab, stage: { view: LiveView; program: readonly string[] }): void {
  const { view, program } = stage;
  const [node] = lab.nodes;
  if (node === undefined) return;
  const xenon = program.join(" ");
  const pids = "its agents and servers are the processes that name this folder";
  view.say(`The cluster keeps running in ${lab.folder}; ${pids}`);
  for (const { configPath, mysql, sandbox } of lab.nodes) {
    view.say(`  config ${configPath}, MySQL at ${mysql}, socket ${sandbox.socket}`);
  }
  view.say(`Ask it:  ${xenon} --config ${node.configPath} cluster status`);
  view.say(`The password of root stands in ${lab.folder}/root.password`);
  view.say(`End it:  pkill -9 -f ${lab.folder}; rm -r ${lab.folder}`);
}

/** The first signal that asks this program to stop; later ones change nothing any more. */
function interrupted() {
  const { promise, resolve } = Promise.withResolvers<Deno.Signal>();
  const listeners = stopSignals.map((signal) => {
    const listener = () => resolve(signal);
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  const forget = () => {
    for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
  };
  return { signalled: promise, forget };
}
