/** The address against a kernel of our own, which keeps leases and can be slow. */
import assert from "node:assert/strict";
import type { Claim } from "../vip.ts";
import { VirtualAddress } from "./address.ts";
import { FakeClock, settle } from "../fake_clock.ts";
import { FakeKernel } from "./fake_kernel.ts";

const vip = { address: "192.0.2.9", prefix: 24, interface: "eth0", leaseMs: 2_000 };
const leadershipMs = 1_500;

/** A host whose quorum answers whenever `confirm` is called. */
class Stage {
  readonly clock = new FakeClock();
  readonly kernel = new FakeKernel(this.clock, vip);
  readonly warnings: string[] = [];
  readonly news: string[] = [];
  readonly leadership = new AbortController();
  confirmedAt = this.clock.now();
  readonly address = new VirtualAddress({
    vip,
    clock: this.clock,
    log: {
      write: (level, sentence) => {
        (level === "info" ? this.news : this.warnings).push(sentence);
      },
    },
    leadershipMs,
    confirmedAt: () => this.confirmedAt,
    runCommand: this.kernel.run,
  });

  confirm(): void {
    this.confirmedAt = this.clock.now();
    this.address.renew();
  }

  claim(changes: Partial<Claim> = {}): Claim {
    const { signal } = this.leadership;
    return {
      oldLeaderSilentMs: 60_000,
      released: true,
      opened: Promise.resolve(),
      signal,
      ...changes,
    };
  }

  /** Time in which the quorum answers every 100 ms. */
  async lead(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      await this.clock.advance(100);
      this.confirm();
    }
    await settle();
  }

  async taken(): Promise<void> {
    await this.address.take(this.claim());
    assert.ok(this.kernel.present && this.address.holds());
  }
}

/** How a promise stands, without waiting for it. */
function watch(promise: Promise<unknown>): { state: string } {
  const seen = { state: "pending" };
  promise.then(() => seen.state = "done", (error) => seen.state = (error as Error).message);
  return seen;
}

Deno.test("a released address is taken at once, without a probe, and announced", async () => {
  const stage = new Stage();
  await stage.taken();
  assert.equal(stage.kernel.count("-D"), 0);
  assert.equal(stage.kernel.count("arping -U"), 1);
  await stage.lead(3_500);
  assert.equal(stage.kernel.count("arping -U"), 4);
  assert.equal(stage.kernel.count("arping -A"), 4);
});

Deno.test("the log says where the address is and when it was given up", async () => {
  const stage = new Stage();
  await stage.taken();
  await stage.address.drop();
  await stage.address.drop();
  assert.deepEqual(stage.news, [
    "This host has 192.0.2.9 on eth0 now",
    "This host has given 192.0.2.9 up",
  ]);
});

Deno.test("a renewed address lives on, and one without renewals dies by itself", async () => {
  const stage = new Stage();
  await stage.taken();
  await stage.lead(10_000);
  assert.ok(stage.kernel.present && stage.address.holds());
  const renewals = stage.kernel.count("replace");
  assert.ok(renewals >= 10 && renewals <= 41, `${renewals} renewals in 10 s`);
  await stage.clock.advance(2_000);
  assert.ok(!stage.kernel.present && !stage.address.holds());
});

Deno.test("an old word of the quorum renews nothing", async () => {
  const stage = new Stage();
  await stage.taken();
  const before = stage.kernel.count("replace");
  await stage.clock.advance(600);
  stage.address.renew();
  stage.confirmedAt = stage.clock.now() - 501;
  stage.address.renew();
  assert.equal(stage.kernel.count("replace"), before);
});

Deno.test("an address that ran out between two renewals is added and announced again", async () => {
  const stage = new Stage();
  await stage.taken();
  stage.confirmedAt += 1_000;
  await stage.clock.advance(2_100);
  assert.ok(!stage.kernel.present);
  const announced = stage.kernel.count("arping -U");
  stage.confirm();
  await settle();
  assert.ok(stage.kernel.present && stage.address.holds());
  assert.equal(stage.kernel.count("arping -U"), announced + 1);
  assert.match(stage.warnings.join("\n"), /it had run out between two renewals/);
  await stage.address.drop();
});

Deno.test("an unreleased address is added when the old lease is over and the server open", async () => {
  const stage = new Stage();
  const server = Promise.withResolvers<void>();
  const taking = stage.address.take(
    stage.claim({ released: false, oldLeaderSilentMs: 300, opened: server.promise }),
  );
  const seen = watch(taking);
  await stage.lead(1_900);
  server.resolve();
  await stage.clock.advance(99);
  assert.deepEqual([seen.state, stage.kernel.count("replace")], ["pending", 0]);
  await stage.clock.advance(2);
  assert.deepEqual([seen.state, stage.kernel.count("-D")], ["done", 1]);
  await stage.address.drop();
});

Deno.test("the address waits for an opening that takes longer than the old lease", async () => {
  const stage = new Stage();
  const server = Promise.withResolvers<void>();
  const seen = watch(stage.address.take(stage.claim({ released: false, opened: server.promise })));
  await stage.lead(5_000);
  assert.deepEqual([seen.state, stage.kernel.count("replace")], ["pending", 0]);
  server.resolve();
  await settle();
  assert.equal(seen.state, "done");
  await stage.address.drop();
});

Deno.test("somebody who answers for the address is waited for", async () => {
  const stage = new Stage();
  stage.kernel.otherUntil = stage.clock.now() + 700;
  const seen = watch(stage.address.take(stage.claim({ released: false })));
  await stage.lead(700);
  assert.equal(seen.state, "pending");
  await stage.lead(200);
  assert.equal(seen.state, "done");
  await stage.address.drop();
});

Deno.test("an address that another host keeps is not taken, and the host is named", async () => {
  const stage = new Stage();
  stage.kernel.otherUntil = Infinity;
  const seen = watch(stage.address.take(stage.claim({ released: false })));
  await stage.lead(2_800);
  assert.equal(
    seen.state,
    'Cannot take the virtual address 192.0.2.9 on "eth0" as 02:00:00:00:00:01 answers for it',
  );
  assert.equal(stage.kernel.count("replace"), 0);
});

Deno.test("a failed opening and a lost leadership end the wait, and nothing is added", async () => {
  const failed = new Stage();
  const opened = Promise.reject(new Error("no quorum"));
  await assert.rejects(failed.address.take(failed.claim({ released: false, opened })), /no quorum/);
  const lost = new Stage();
  const seen = watch(lost.address.take(lost.claim({ released: false, oldLeaderSilentMs: 0 })));
  await lost.lead(1_000);
  lost.leadership.abort(new Error("a later term exists"));
  await settle();
  assert.equal(seen.state, "a later term exists");
  for (const { kernel, clock } of [failed, lost]) {
    assert.deepEqual([kernel.count("replace"), clock.waiting], [0, 0]);
  }
});

Deno.test("a leader whose last word of the quorum is old adds nothing before a new one", async () => {
  const stage = new Stage();
  stage.confirmedAt = stage.clock.now() - 600;
  const seen = watch(stage.address.take(stage.claim()));
  await stage.clock.advance(200);
  assert.deepEqual([seen.state, stage.kernel.count("replace")], ["pending", 0]);
  stage.confirm();
  await stage.clock.advance(20);
  assert.equal(seen.state, "done");
  await stage.address.drop();
});

Deno.test("a renewal that a freeze of the host delayed does not bring the address back", async () => {
  const stage = new Stage();
  await stage.taken();
  const gate = Promise.withResolvers<void>();
  stage.kernel.gate = gate.promise;
  await stage.clock.advance(300);
  stage.confirm();
  stage.clock.freeze(20_000);
  assert.ok(!stage.kernel.present);
  gate.resolve();
  await settle();
  assert.ok(!stage.kernel.present && !stage.address.holds());
  assert.match(stage.warnings.join("\n"), /renewal came too late/);
});

Deno.test("a renewal that returns after the address was dropped is undone", async () => {
  const stage = new Stage();
  await stage.taken();
  const gate = Promise.withResolvers<void>();
  stage.kernel.gate = gate.promise;
  await stage.clock.advance(300);
  stage.confirm();
  const dropping = watch(stage.address.drop());
  await stage.clock.advance(100);
  assert.equal(dropping.state, "done");
  gate.resolve();
  await settle();
  assert.ok(!stage.kernel.present);
});

Deno.test("a taking that is dropped while the address is added leaves nothing", async () => {
  const stage = new Stage();
  const gate = Promise.withResolvers<void>();
  stage.kernel.gate = gate.promise;
  const taking = watch(stage.address.take(stage.claim()));
  await settle();
  stage.leadership.abort(new Error("fenced"));
  const dropping = watch(stage.address.drop());
  await stage.clock.advance(100);
  gate.resolve();
  await settle();
  assert.deepEqual([dropping.state, stage.kernel.present], ["done", false]);
  assert.match(taking.state, /given up meanwhile/);
});

Deno.test("renewals do not pile up behind a slow command", async () => {
  const stage = new Stage();
  await stage.taken();
  const gate = Promise.withResolvers<void>();
  stage.kernel.gate = gate.promise;
  const before = stage.kernel.count("replace");
  await stage.lead(900);
  assert.equal(stage.kernel.count("replace"), before + 1);
  gate.resolve();
  await settle();
  assert.ok(stage.kernel.present);
  await stage.address.drop();
});

Deno.test("a dropped address is gone, stays gone, and is announced no more", async () => {
  const stage = new Stage();
  await stage.taken();
  await stage.address.drop();
  await stage.address.drop();
  assert.ok(!stage.kernel.present && !stage.address.holds());
  const announced = stage.kernel.count("arping");
  await stage.lead(20_000);
  stage.address.announce();
  assert.deepEqual([stage.kernel.count("arping"), stage.clock.waiting], [announced, 0]);
  assert.ok(!stage.kernel.present);
});

Deno.test("an address that cannot be removed is an error, not a release", async () => {
  const stage = new Stage();
  await stage.taken();
  stage.kernel.removable = false;
  await assert.rejects(stage.address.drop(), /Cannot remove the virtual address 192.0.2.9/);
});

Deno.test("a healed partition starts the announcements again", async () => {
  const stage = new Stage();
  await stage.taken();
  await stage.lead(12_000);
  const announced = stage.kernel.count("arping -U");
  stage.address.announce();
  await stage.lead(300);
  assert.equal(stage.kernel.count("arping -U"), announced + 2);
  await stage.address.drop();
});

Deno.test("removeAtBoot() removes what an earlier run left", async () => {
  const stage = new Stage();
  stage.kernel.expiresAt = Infinity;
  await stage.address.removeAtBoot();
  assert.deepEqual([stage.kernel.present, stage.warnings], [false, []]);
});

Deno.test("removeAtBoot() names the fix where the agent may not or cannot", async () => {
  const forbidden = new Stage();
  forbidden.kernel.permitted = false;
  await assert.rejects(forbidden.address.removeAtBoot(), /capabilities CAP_NET_ADMIN/);
  const bare = new Stage();
  bare.kernel.missing.add("ip");
  await assert.rejects(bare.address.removeAtBoot(), /install the package iproute2/);
});

Deno.test("without arping the address is taken all the same, with one warning each", async () => {
  const stage = new Stage();
  stage.kernel.missing.add("arping");
  await stage.address.removeAtBoot();
  const seen = watch(stage.address.take(stage.claim({ released: false })));
  await stage.lead(2_000);
  assert.deepEqual([seen.state, stage.kernel.present], ["done", true]);
  assert.equal(stage.warnings.length, 2);
  for (const warning of stage.warnings) assert.match(warning, /install the package iputils-arping/);
  await stage.address.drop();
});
