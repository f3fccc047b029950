import assert from "node:assert/strict";
import fc from "fast-check";
import { Secret } from "./secret.ts";
import {
  createPeerClocks,
  createReplayGuard,
  HEADER_BOOT,
  HEADER_NONCE,
  HEADER_TIME,
  readStamp,
  REPLAY_WINDOW_MS,
  sameMac,
  signAnswer,
  type SignedRequest,
  signRequest,
} from "./signing.ts";

const secret = new Secret("correct horse battery staple");
const bytes = (text: string) => new TextEncoder().encode(text);
const request: SignedRequest = {
  method: "POST",
  path: "/rpc",
  body: bytes("{}"),
  nonce: "0".repeat(32),
  boot: "boot-1",
  timeMs: 1000,
};

Deno.test("signRequest() changes with every part and with the secret", () => {
  const variants: readonly SignedRequest[] = [
    request,
    { ...request, method: "PUT" },
    { ...request, path: "/rpc?" },
    { ...request, body: bytes("{} ") },
    { ...request, nonce: "1".repeat(32) },
    { ...request, boot: "boot-2" },
    { ...request, timeMs: 1001 },
  ];
  const macs = variants.map((variant) => signRequest(secret, variant));
  macs.push(signRequest(new Secret("other"), request));
  macs.push(signAnswer(secret, { ...request, status: 200 }));
  assert.equal(new Set(macs).size, macs.length);
});

Deno.test("sameMac() holds for equal signatures only and survives nonsense", () => {
  const mac = signRequest(secret, request);
  assert.ok(sameMac(mac, mac));
  assert.ok(!sameMac(mac, signRequest(new Secret("other"), request)));
  for (const text of ["", "zz", mac.slice(1), mac.toUpperCase()]) assert.ok(!sameMac(mac, text));
});

Deno.test("createReplayGuard() admits a stamp once", () => {
  const guard = createReplayGuard("boot-1");
  assert.equal(guard.judge(request, 1000), "fresh");
  assert.equal(guard.judge(request, 1000), "fresh");
  assert.equal(guard.admit(request, 1000), "fresh");
  assert.equal(guard.judge(request, 1001), "replayed");
  assert.equal(guard.admit(request, 1001), "replayed");
});

Deno.test("createReplayGuard() finds stamps stale that are old, early, or for another process", () => {
  const guard = createReplayGuard("boot-1");
  assert.equal(guard.judge({ ...request, boot: "boot-0" }, 1000), "stale");
  assert.equal(guard.judge({ ...request, boot: "" }, 1000), "stale");
  assert.equal(guard.judge(request, 1000 + REPLAY_WINDOW_MS), "fresh");
  assert.equal(guard.judge(request, 1001 + REPLAY_WINDOW_MS), "stale");
  assert.equal(guard.judge({ ...request, timeMs: 7000 }, 1000), "stale");
});

Deno.test("createReplayGuard() never admits a stamp twice, whenever the copies arrive", () => {
  const arrivals = fc.array(
    fc.record({ id: fc.nat(5), claimedMs: fc.nat(200_000), waitMs: fc.nat(40_000) }),
    { maxLength: 60 },
  );
  fc.assert(fc.property(arrivals, (list) => {
    const guard = createReplayGuard("b");
    const used = new Set<string>();
    let nowMs = 0;
    for (const { id, claimedMs, waitMs } of list) {
      nowMs += waitMs;
      // One stamp is one nonce with one time: a copy cannot change the time under the signature.
      const stamp = { nonce: `${id}-${claimedMs}`, boot: "b", timeMs: claimedMs };
      const freshness = guard.admit(stamp, nowMs);
      if (freshness === "fresh") {
        assert.ok(!used.has(stamp.nonce), `${stamp.nonce} twice`);
        used.add(stamp.nonce);
      }
    }
  }));
});

Deno.test("createReplayGuard() admits a copy at no moment of its life", () => {
  // The generations turn at 35 s after the first request, so it comes at every distance before.
  for (let firstMs = 60_000; firstMs <= 95_000; firstMs += 1_000) {
    for (let laterMs = 0; laterMs <= 80_000; laterMs += 1_000) {
      const guard = createReplayGuard("b");
      guard.admit({ nonce: "first", boot: "b", timeMs: firstMs }, firstMs);
      // As far ahead as allowed, so that its life is the longest.
      const stamp = { nonce: "n", boot: "b", timeMs: 100_000 };
      assert.equal(guard.admit(stamp, 95_000), "fresh");
      for (let t = 96_000; t < 95_000 + laterMs; t += 3_000) {
        guard.admit({ nonce: `o${t}`, boot: "b", timeMs: t }, t);
      }
      assert.notEqual(guard.admit(stamp, 95_000 + laterMs), "fresh", `${firstMs} ${laterMs}`);
    }
  }
});

Deno.test("createReplayGuard() has room for a bounded number of nonces and makes room again", () => {
  const guard = createReplayGuard("b", 3);
  const at = (n: number, timeMs: number) => ({ nonce: `n${n}`, boot: "b", timeMs });
  for (let n = 0; n < 3; n++) assert.equal(guard.admit(at(n, 0), 0), "fresh");
  assert.equal(guard.admit(at(3, 0), 0), "full");
  assert.equal(guard.admit(at(4, 35_000), 35_000), "fresh");
});

Deno.test("createPeerClocks() tells the receiver's time from its last answer", () => {
  const clocks = createPeerClocks();
  assert.deepEqual(clocks.stampFor("a:1", 500), { boot: "", timeMs: 0 });
  clocks.learn("a:1", { boot: "x", timeMs: 90_000 }, 1000);
  assert.deepEqual(clocks.stampFor("a:1", 1250), { boot: "x", timeMs: 90_250 });
  clocks.learn("a:1", { boot: "y", timeMs: 10 }, 2000);
  assert.deepEqual(clocks.stampFor("a:1", 2000), { boot: "y", timeMs: 10 });
  for (let n = 0; n < 300; n++) clocks.learn(`b:${n}`, { boot: "z", timeMs: 0 }, 0);
  assert.deepEqual(clocks.stampFor("a:1", 2000), { boot: "", timeMs: 0 });
});

Deno.test("readStamp() takes well-formed headers only", () => {
  const good = { [HEADER_NONCE]: "a".repeat(32), [HEADER_BOOT]: "b-1", [HEADER_TIME]: "12" };
  assert.deepEqual(readStamp(new Headers(good)), {
    nonce: "a".repeat(32),
    boot: "b-1",
    timeMs: 12,
  });
  const bad = [
    {},
    { ...good, [HEADER_NONCE]: "short" },
    { ...good, [HEADER_NONCE]: "g".repeat(32) },
    { ...good, [HEADER_TIME]: "-1" },
    { ...good, [HEADER_TIME]: "1.5" },
    { ...good, [HEADER_TIME]: "1e99" },
    { ...good, [HEADER_BOOT]: "b 1" },
  ];
  for (const headers of bad) assert.equal(readStamp(new Headers(headers)), null);
});
