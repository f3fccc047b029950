/** The virtual address in the kernels of real hosts, seen by their neighbours. */
import assert from "node:assert/strict";
import { VirtualAddress } from "../../agent/real/address.ts";
import { createClock } from "../../agent/real/clock.ts";
import type { Claim } from "../../agent/vip.ts";
import { run, startDetached, succeeded } from "../../mysql/process.ts";
import { type Host, hostInterface, HostNetwork, testWithHosts } from "./hosts.ts";
import { must } from "./hosts_sweep.ts";
import { TemporaryFolder } from "./lab.ts";
import { pause } from "../../mysql/time_left.ts";

/** The agents run beside this test on a busy machine, and must renew within it. */
const leaseMs = 3_000;
/** The kernel may be a third of a second late, and a busy machine later. */
const lateMs = leaseMs;
const leadershipMs = leaseMs / 2;
const patienceMs = 60_000;
/** Commands are entered into a host, which costs more than running them there. */
const commandFactor = 10;
const clock = createClock();

/** The address of one host, held by this process with the commands run in the host. */
class Holder implements AsyncDisposable {
  readonly host: Host;
  readonly warnings: string[] = [];
  /** Waited for before each command that adds. */
  delay: Promise<void> | null = null;
  confirmedAt = clock.now();
  /** Words before each command. */
  prefix: readonly string[] = [];
  readonly address: VirtualAddress;
  readonly #timer: ReturnType<typeof setInterval>;
  #confirming = true;

  constructor(host: Host, address: string) {
    this.host = host;
    this.address = new VirtualAddress({
      vip: { address, prefix: address.includes(":") ? 64 : 24, interface: hostInterface, leaseMs },
      clock,
      log: {
        write: (level, sentence) => {
          if (level === "warning" || level === "error") this.warnings.push(sentence);
        },
      },
      leadershipMs,
      confirmedAt: () => this.confirmedAt,
      runCommand: async (command, options) => {
        if (command.includes("replace")) await this.delay;
        const deadlineMs = commandFactor * options.deadlineMs;
        return await run(host.command([...this.prefix, ...command]), { ...options, deadlineMs });
      },
    });
    this.#timer = setInterval(() => {
      if (this.#confirming) this.confirmedAt = clock.now();
      this.address.renew();
    }, 50);
  }

  /** The quorum answers no longer, and nobody tells this holder. */
  forget(): void {
    this.#confirming = false;
  }

  async take(changes: Partial<Claim> = {}): Promise<void> {
    const { signal } = new AbortController();
    const opened = Promise.resolve();
    const claim = { oldLeaderSilentMs: 60_000, released: true, opened, signal };
    await this.address.take({ ...claim, ...changes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.delay = null;
    this.prefix = [];
    await this.address.drop();
  }
}

/** Milliseconds until it holds; fails when it does not within `patienceMs`. */
async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<number> {
  const startedAt = performance.now();
  while (!await holds()) {
    assert.ok(performance.now() - startedAt < patienceMs, `in time: ${what}`);
    await pause(20);
  }
  return performance.now() - startedAt;
}

async function reaches(from: Host, to: string): Promise<boolean> {
  const ping = ["ping", "-n", "-q", "-c", "1", "-W", "1", to];
  return succeeded(await from.run(ping, { deadlineMs: patienceMs }));
}

/** The hardware address of a host's interface. */
async function hardwareOf(host: Host): Promise<string> {
  const text = await must(["ip", "-n", host.namespace, "-o", "link", "show", hostInterface]);
  return /link\/ether (\S+)/.exec(text)?.[1] ?? "";
}

/** Where a host believes an address to be. */
async function believed(host: Host, address: string): Promise<string> {
  const text = await must(["ip", "-n", host.namespace, "neigh", "show", address]);
  return /lladdr (\S+)/.exec(text)?.[1] ?? "";
}

for (const family of ["four", "six"] as const) {
  const version = family === "four" ? "IPv4" : "IPv6";

  await testWithHosts(
    `an ${version} address moves, and a neighbour learns it unasked`,
    async () => {
      await using network = await HostNetwork.open(2);
      const [one, two, address] = [network.host(1), network.host(2), network.virtual[family]];
      await using first = new Holder(one, address);
      await using second = new Holder(two, address);
      await first.address.removeAtBoot();
      await first.take();
      await until("the client reaches it", () => reaches(network.client, address));
      assert.equal(await believed(network.client, address), await hardwareOf(one));
      await pause(2 * leaseMs);
      assert.ok(await one.has(address) && first.address.holds(), "it was renewed");

      await first.address.drop();
      assert.ok(!await one.has(address));
      assert.ok(await one.has(family === "four" ? one.address : one.address6), "its own stays");
      const startedAt = performance.now();
      await second.take({ oldLeaderSilentMs: 0 });
      const tookMs = performance.now() - startedAt;
      const hardware = await hardwareOf(two);
      // The client asks nothing here, so only an announcement can tell it.
      await until("the neighbour knows", async () => {
        return await believed(network.client, address) === hardware;
      });
      assert.ok(await reaches(network.client, address));
      // One that is not released costs the whole lease.
      assert.ok(tookMs < leaseMs, `taking a released address took ${tookMs} ms`);
      assert.deepEqual([...first.warnings, ...second.warnings], []);
    },
  );

  await testWithHosts(`an ${version} address that another host keeps is not taken`, async () => {
    await using network = await HostNetwork.open(2);
    const [one, two, address] = [network.host(1), network.host(2), network.virtual[family]];
    const place = [`${address}/${family === "four" ? 24 : 64}`, "dev", hostInterface];
    await must(["ip", "-n", two.namespace, "addr", "add", ...place]);
    await until("it is there", () => reaches(one, address));
    await using holder = new Holder(one, address);
    const hardware = await hardwareOf(two);
    await assert.rejects(holder.take({ released: false }), (error: Error) => {
      return error.message.toLowerCase().includes(`${hardware} answers for it`);
    });
    assert.ok(!await one.has(address));
    await must(["ip", "-n", two.namespace, "addr", "del", ...place]);
    await holder.take({ released: false });
    assert.ok(await one.has(address));
  });
}

await testWithHosts("an IPv6 address is not the source of the host's own connections", async () => {
  await using network = await HostNetwork.open(1);
  const [host, address] = [network.host(1), network.virtual.six];
  await using holder = new Holder(host, address);
  await holder.take();
  const route = ["ip", "-n", host.namespace, "-6", "route", "get", network.client.address6];
  assert.match(await must(route), new RegExp(`src ${host.address6} `));
});

await testWithHosts("a frozen or killed holder loses the address by the kernel alone", async () => {
  using folder = new TemporaryFolder();
  await using network = await HostNetwork.open(1);
  const [host, address] = [network.host(1), network.virtual.four];
  const outputFile = `${folder.path}/holder`;
  const program = new URL("address_holder.ts", import.meta.url).pathname;
  const settings = [address, "24", hostInterface, String(leaseMs), String(leadershipMs)];
  const start = () => {
    const command = [Deno.execPath(), "run", "--quiet", "-A", program, ...settings];
    return startDetached(host.command(command), { outputFile });
  };
  const said = (word: string) => Deno.readTextFileSync(outputFile).includes(word);

  for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
    Deno.writeTextFileSync(outputFile, "");
    const pid = await start();
    await until("it is taken", () => said("taken"));
    await pause(2 * leaseMs);
    assert.ok(await host.has(address), "it is renewed");
    Deno.kill(pid, signal);
    const goneMs = await until(`it is gone after ${signal}`, async () => !await host.has(address));
    assert.ok(goneMs < leaseMs + lateMs, `${signal}: gone after ${goneMs} ms`);
    if (signal === "SIGKILL") continue;
    Deno.kill(pid, "SIGCONT");
    await until("it notices", () => said("given up"));
    assert.ok(!await host.has(address), "it does not come back");
    await host.signalAll("SIGKILL");
  }
});

await testWithHosts("a delayed renewal does not bring the address back", async () => {
  await using network = await HostNetwork.open(1);
  const [host, address] = [network.host(1), network.virtual.four];
  await using holder = new Holder(host, address);
  await holder.take();
  const gate = Promise.withResolvers<void>();
  holder.delay = gate.promise;
  await pause(leaseMs / 2);
  holder.forget();
  await until("the kernel removed it", async () => !await host.has(address));
  await until("the leadership is over", () => clock.now() - holder.confirmedAt > leadershipMs);
  gate.resolve();
  await until("the late command is undone", () => holder.warnings.length > 0);
  await until("it is gone", async () => !await host.has(address));
  assert.match(holder.warnings.join("\n"), /its renewal came too late/);
  await pause(200);
  assert.ok(!await host.has(address));
});

await testWithHosts(
  "an agent without the right to add addresses says so at its start",
  async () => {
    await using network = await HostNetwork.open(1);
    await using holder = new Holder(network.host(1), network.virtual.four);
    const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    holder.prefix = nobody;
    await assert.rejects(
      holder.address.removeAtBoot(),
      /capabilities CAP_NET_ADMIN and CAP_NET_RAW/,
    );
    holder.prefix = [];
    await holder.address.removeAtBoot();
  },
);
