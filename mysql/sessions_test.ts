/** The connections of an agent: how patient they are with a server that is slow. */
import assert from "node:assert/strict";
import { Sessions } from "./sessions.ts";

const connectMs = 25;

Deno.test("a login for looks that is cut off gets more time at each try, others do not", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const accepting = (async () => {
    // It accepts and says nothing, as a starved server does.
    for await (const connection of listener) held.push(connection);
  })();
  const { port } = listener.addr;
  const endpoint = { user: "root", password: "", host: "127.0.0.1", port };
  await using sessions = new Sessions({ endpoint, connectMs });
  const fails = async (name: "look" | "work") => {
    const startedAt = performance.now();
    await assert.rejects(sessions.get(name), { kind: "timeout" });
    return performance.now() - startedAt;
  };
  for (let tries = 0; tries < 3; tries++) await fails("look");
  assert.ok(await fails("look") >= 8 * connectMs - 1);
  await assert.rejects(sessions.get("work"), new RegExp(`within ${connectMs} ms`));
  listener.close();
  await accepting;
  for (const connection of held) connection.close();
});
