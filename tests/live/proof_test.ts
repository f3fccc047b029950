/**
 * Every fault of the menu once, under load through the virtual address: nothing acknowledged is lost,
 * one server acknowledges, one host has the address, and the cluster is whole again. How long each of
 * them takes is measured by `make proof`.
 */
import assert from "node:assert/strict";
import { menu } from "../proof/menu.ts";
import { complaintsOf, isBroken, type Outcome } from "../proof/outcome.ts";
import { Proof, whyLeftOut } from "../proof/proof.ts";
import { testWithHosts } from "./hosts.ts";

const awayMs = 5_000;
/** Every copy that is replaced fetches all that was ever written: on a busy machine fewer are enough. */
const writeEveryMs = 50;

await testWithHosts("every fault of the menu, once", async (test) => {
  await using proof = new Proof({ awayMs, writeEveryMs });
  for (const fault of menu) {
    const reason = await whyLeftOut(fault);
    const complaints = (outcome: Outcome) => complaintsOf(outcome, fault.expect, awayMs);
    const name = `${fault.name}: ${fault.title}`;
    await test.step({
      name: reason === null ? name : `${name} (left out: ${reason})`,
      ignore: reason !== null,
      fn: async () => {
        let outcome = await proof.run(fault);
        // A busy machine may change a leader or be slow, once. It may not lose a write, nor hide one.
        if (complaints(outcome).length > 0 && !isBroken(outcome, fault.expect)) {
          say(`once more, as ${complaints(outcome).join("; ")}\n`);
          await proof.close();
          outcome = await proof.run(fault);
        }
        const said = complaints(outcome);
        assert.ok(said.length === 0, [...said, ...outcome.said].join("\n"));
      },
    });
  }
  await proof.close();
});

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
