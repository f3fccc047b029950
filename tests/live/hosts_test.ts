/** The network of hosts itself: what it joins, what it cuts, and that nothing of it stays. */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { connectAsRoot, createSandbox, startSandbox } from "../../mysql/sandbox.ts";
import { look } from "../../mysql/server.ts";
import { succeeded } from "../../mysql/process.ts";
import { type Host, hostInterface, HostNetwork, testWithHosts } from "./hosts.ts";
import { isolated, lossy, oneWay, parted, portCut } from "./hosts_faults.ts";
import { listDisks, listNamespaces, must, sweepDeadRuns } from "./hosts_sweep.ts";
import { cacheFolder, findMysqld, TemporaryFolder } from "./lab.ts";
import { pause } from "../../mysql/time_left.ts";

/** A busy machine is slow. */
const patienceMs = 60_000;
const reachMs = 30_000;
const startMs = 60_000;

/** An answer comes in the end: a packet may wait for a busy machine. */
async function reaches(from: Host, to: string): Promise<boolean> {
  const ping = ["ping", "-n", "-q", "-c", "1", "-W", "1", to];
  const answered = () => from.run(ping, { deadlineMs: reachMs }).then(succeeded);
  return await poll(reachMs, async () => await answered() || null) ?? false;
}

/** None of three packets is answered within a second. */
async function isCutOff(from: Host, to: string): Promise<boolean> {
  const ping = ["ping", "-n", "-q", "-c", "3", "-i", "0.2", "-W", "1", to];
  const { ended } = await from.run(ping, { deadlineMs: reachMs });
  return ended.how === "exit" && ended.code === 1;
}

/** Of a hundred questions, how many get an answer. */
async function answersPercent(from: Host, to: string): Promise<number> {
  const ping = ["ping", "-n", "-q", "-c", "500", "-i", "0.002", "-W", "0.3", to];
  const { stdoutTail } = await from.run(ping, { deadlineMs: patienceMs });
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdoutTail) ?? [];
  return 100 * Number(received) / Number(sent);
}

/** Counts the packets that reach a host, answered or not. */
async function receivedPackets(host: Host): Promise<number> {
  const path = `/sys/class/net/${hostInterface}/statistics/rx_packets`;
  // Only this command shows the /sys of the namespace.
  return Number(await must(["ip", "netns", "exec", host.namespace, "cat", path]));
}

/** A process of a host, which ends with it. Declare it before its network, so that it ends later. */
class Guest implements AsyncDisposable {
  #child: Deno.ChildProcess | null = null;

  /** Gives its process id as soon as it is in the host. */
  async start(host: Host, command: readonly string[]): Promise<number> {
    const [program = "", ...args] = host.command(command);
    this.#child = new Deno.Command(program, { args, stdout: "null", stderr: "null" }).spawn();
    const { pid } = this.#child;
    await until("it is in the host", async () => (await host.pids()).includes(pid));
    return pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.status;
  }
}

function stateOf(pid: number): string {
  return /\) (\S)/.exec(Deno.readTextFileSync(`/proc/${pid}/stat`))?.[1] ?? "";
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  while (!await holds()) {
    assert.ok(performance.now() < endsAt, `in time: ${what}`);
    await pause(20);
  }
}

await testWithHosts("hosts hear each other except where the switch drops", async (test) => {
  await using network = await HostNetwork.open(3);
  const [one, two, three] = [network.host(1), network.host(2), network.host(3)];

  await test.step("all of them reach each other and the client", async () => {
    for (const host of [one, two, three, network.client]) {
      for (const other of [one, two, three, network.client]) {
        assert.ok(await reaches(host, other.address), `${host.name} reaches ${other.name}`);
      }
    }
    assert.ok(await reaches(one, two.address6), "over IPv6");
  });

  await test.step("a one-way cut: questions arrive, answers do not", async () => {
    await network.fault(oneWay("h2", "h1"));
    const before = await receivedPackets(two);
    assert.ok(await isCutOff(one, two.address));
    assert.ok(await receivedPackets(two) > before, "the question arrived");
    assert.ok(await reaches(one, three.address));
    await network.heal();
    assert.ok(await reaches(one, two.address));
  });

  await test.step("halves do not hear each other, isolated hosts hear nobody", async () => {
    await network.fault(parted(["h1"], ["h2", "h3"]));
    assert.deepEqual(
      await Promise.all([
        isCutOff(one, two.address),
        reaches(two, three.address),
        reaches(network.client, one.address),
      ]),
      [true, true, true],
    );
    await network.heal();
    await network.fault(isolated("h1"));
    assert.deepEqual(
      await Promise.all([
        isCutOff(one, three.address),
        isCutOff(network.client, one.address),
        reaches(network.client, two.address),
      ]),
      [true, true, true],
    );
    await network.heal();
  });

  await test.step("30% of the packets are lost when asked for, and none otherwise", async () => {
    // On a busy machine an answer may be late.
    const whole = await answersPercent(one, two.address);
    assert.ok(whole >= 99, `${whole}% were answered`);
    await network.fault(lossy(30));
    const percent = await answersPercent(one, two.address);
    // Question and answer both have to arrive: 0.7 * 0.7, give or take five deviations.
    assert.ok(percent > 38 && percent < 60, `${percent}% were answered`);
    await network.heal();
  });

  await test.step("a pulled cable is seen by its host", async () => {
    await one.unplug();
    await until("no carrier", async () => {
      return (await must(["ip", "-n", one.namespace, "link"])).includes("NO-CARRIER");
    });
    assert.ok(await isCutOff(two, one.address));
    await one.plug();
    await until("the link is back", () => reaches(two, one.address));
  });
});

await testWithHosts("a port can be cut alone, and the test itself can join", async () => {
  await using guest = new Guest();
  await using network = await HostNetwork.open(2);
  const [one, two] = [network.host(1), network.host(2)];
  await network.join();
  const program = "for (const port of [8801, 3306]) Deno.serve({ hostname: '0.0.0.0', port }, " +
    "() => new Response('here'))";
  await guest.start(two, [Deno.execPath(), "eval", program]);
  const ask = (port: number, withinMs = 10_000) => {
    const url = `http://${two.address}:${port}/`;
    const text =
      `const answer = await fetch("${url}", { signal: AbortSignal.timeout(${withinMs}) });` +
      "Deno.exit(await answer.text() === 'here' ? 0 : 1)";
    return one.run([Deno.execPath(), "eval", text], { deadlineMs: reachMs }).then(succeeded);
  };
  await until("it listens", async () => await ask(8801) && await ask(3306));
  await network.fault(portCut(["h1", "h2"], 8801));
  assert.deepEqual([await ask(8801, 2_000), await ask(3306)], [false, true]);
  const answer = await fetch(`http://${two.address}:8801/`, {
    signal: AbortSignal.timeout(reachMs),
  });
  assert.equal(await answer.text(), "here");
});

await testWithHosts("a host freezes, thaws, and loses its power", async () => {
  await using guest = new Guest();
  await using network = await HostNetwork.open(2);
  const [one, two] = [network.host(1), network.host(2)];
  const pid = await guest.start(one, ["sleep", "600"]);
  assert.deepEqual(await one.pids(), [pid]);
  await one.signalAll("SIGSTOP");
  await until("it is frozen", () => stateOf(pid) === "T");
  await one.signalAll("SIGCONT");
  await until("it runs again", () => stateOf(pid) === "S");
  const { four } = network.virtual;
  await must(["ip", "-n", one.namespace, "addr", "add", `${four}/24`, "dev", hostInterface]);
  await one.powerOff();
  assert.deepEqual([await one.pids(), await one.has(four)], [[], false]);
  assert.ok(await isCutOff(two, one.address));
  await one.powerOn();
  await until("it is reached again", () => reaches(two, one.address));
});

await testWithHosts("a small disk is full when it is full", async () => {
  await using network = await HostNetwork.open(1);
  const folder = await network.smallDisk("data", 2);
  Deno.writeFileSync(`${folder}/fits`, new Uint8Array(1_000_000));
  assert.throws(() => Deno.writeFileSync(`${folder}/not`, new Uint8Array(2_000_000)), /No space/);
});

await testWithHosts("a MySQL server runs in a host and clients reach it there", async () => {
  using folder = new TemporaryFolder();
  await using network = await HostNetwork.open(1);
  const host = network.host(1);
  const made = await createSandbox({
    mysqld: await findMysqld(),
    folder: `${folder.path}/server`,
    cacheFolder,
    serverId: 1,
    port: 3306,
    bindAddress: "0.0.0.0",
  });
  const sandbox = host.server(made, `${folder.path}/bin`);
  const server = await startSandbox(sandbox, { deadlineMs: startMs });
  assert.deepEqual(await host.pids(), [server.pid]);
  await using connection = await connectAsRoot(sandbox, reachMs);
  await connection.query("SELECT 1", { deadlineMs: reachMs });
  const knock = `(await Deno.connect({ hostname: "${host.address}", port: 3306 })).close()`;
  const knocked = await network.client.run([Deno.execPath(), "eval", knock], {
    deadlineMs: reachMs,
  });
  assert.ok(succeeded(knocked), knocked.stderrTail);
  await host.powerOff();
  assert.equal(look(server), "dead");
  assert.ok(await sandbox.server.waitGone(server, startMs));
});

/** Namespaces and disks of a process. */
async function leftBy(pid: number): Promise<readonly string[]> {
  const all = [...await listNamespaces(), ...listDisks()];
  return all.filter((name) => name.includes(`xenon-${pid}-`));
}

await testWithHosts("nothing stays, neither of an ended run nor of a killed one", async () => {
  {
    await using guest = new Guest();
    await using network = await HostNetwork.open(2);
    await network.join();
    await network.smallDisk("data", 1);
    await guest.start(network.host(1), ["sleep", "600"]);
    assert.equal((await leftBy(Deno.pid)).length, 5);
  }
  assert.deepEqual(await leftBy(Deno.pid), []);
  assert.ok(!(await must(["ip", "-o", "link"])).includes(`xt${Deno.pid}`));

  const made = `import { HostNetwork } from "${import.meta.resolve("./hosts.ts")}";` +
    "const network = await HostNetwork.open(1); await network.smallDisk('data', 1);" +
    "Deno.kill(Deno.pid, 'SIGKILL');";
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", made] }).spawn();
  assert.equal((await child.status).signal, "SIGKILL");
  assert.equal((await leftBy(child.pid)).length, 4);
  await sweepDeadRuns();
  assert.deepEqual(await leftBy(child.pid), []);
});
