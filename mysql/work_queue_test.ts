import assert from "node:assert/strict";
import { WorkQueue } from "./work_queue.ts";

Deno.test("WorkQueue runs one operation at a time, in the order of the calls", async () => {
  const queue = new WorkQueue();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run("first", async () => {
    order.push("first begins");
    await gate.promise;
    order.push("first ends");
  });
  const second = queue.run("second", () => Promise.resolve(order.push("second")));
  assert.equal(queue.busyWith, "first");
  gate.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(order, ["first begins", "first ends", "second"]);
  assert.equal(queue.busyWith, null);
});

Deno.test("WorkQueue goes on after an operation that failed", async () => {
  const queue = new WorkQueue();
  await assert.rejects(queue.run("bad", () => Promise.reject(new Error("no"))), /no/);
  assert.equal(await queue.run("good", () => Promise.resolve(7)), 7);
});

Deno.test("WorkQueue ends the running operation and refuses the waiting ones when it is paused", async () => {
  const queue = new WorkQueue();
  const running = queue.run("running", (signal) => {
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });
  const waiting = queue.run("waiting", () => Promise.resolve(1));
  queue.pause(new Error("fence"));
  await assert.rejects(running, /fence/);
  await assert.rejects(waiting, /fence/);
  const later = queue.run("later", () => Promise.resolve(2));
  assert.equal(queue.busyWith, "later");
  assert.equal(queue.running, false);
  queue.resume();
  assert.equal(await later, 2);
});

Deno.test("WorkQueue counts changes: equal numbers mean that nothing ran between", async () => {
  const queue = new WorkQueue();
  const before = queue.changes;
  assert.equal(queue.changes, before);
  await queue.run("change", () => {
    assert.notEqual(queue.changes, before);
    return Promise.resolve();
  });
  assert.notEqual(queue.changes, before);
});

Deno.test("WorkQueue refuses to pile up", async () => {
  const queue = new WorkQueue();
  const all = Array.from({ length: 20 }, () => queue.run("work", () => Promise.resolve()));
  const results = await Promise.allSettled(all);
  assert.equal(results.filter(({ status }) => status === "rejected").length, 3);
});
