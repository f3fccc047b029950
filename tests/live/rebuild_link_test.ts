/** Rebuilds by clone on hosts of their own: the network breaks during one, and the next one ends well. */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { describeResult, succeeded } from "../../mysql/process.ts";
import { sampleCommandLines } from "./command_lines.ts";
import { holdCopy } from "./held_copy.ts";
import { testWithHosts } from "./hosts.ts";
import { parted } from "./hosts_faults.ts";
import { HostsLab } from "./hosts_lab.ts";
import type { HostNode } from "./hosts_lab_node.ts";
import { assertNothingTold } from "./told_secrets.ts";

const patienceMs = 90_000;
const commandMs = 180_000;

await testWithHosts("rebuilds by clone on hosts of their own", async (test) => {
  await using lab = await HostsLab.open(3, { ownDisks: false });
  assert.ok(await lab.whole(patienceMs), await lab.sentences());
  const leader = await lab.leader(patienceMs);
  const [joiner, donor] = lab.nodes.filter((node) => node !== leader);
  assert.ok(joiner !== undefined && donor !== undefined);
  const stop = new AbortController();
  const commandLines = sampleCommandLines(stop.signal);
  await test.step("a link that breaks leaves the node as it was", () =>
    breakLink(lab, { joiner, donor }));
  await test.step("with the link it ends well", async () => {
    const words = ["mysql", "rebuildme", "--method=clone", `--from=${donor.id}`];
    // Packets of old connections between the two come seconds after the link.
    const reached = await poll(patienceMs, async () => {
      return succeeded(await joiner.xenon([...words, "--dry-run"], commandMs)) || null;
    });
    assert.ok(reached, await lab.sentences());
    const result = await joiner.xenon(words, commandMs);
    assert.ok(succeeded(result), describeResult(result));
    assert.ok(await lab.whole(patienceMs), await lab.sentences());
  });
  stop.abort();
  const seen = [...await commandLines];
  await test.step("no password was in a command line, a log, a table or an error", async () => {
    assert.ok(seen.some((line) => line.includes("scratch.cnf")), "the copies were seen");
    await assertNothingTold(lab, seen);
  });
});

async function breakLink(
  lab: HostsLab,
  { joiner, donor }: { readonly joiner: HostNode; readonly donor: HostNode },
): Promise<void> {
  const before = (await joiner.status())?.mysql.serverUuid;
  const words = ["mysql", "rebuildme", "--method=clone", `--from=${donor.id}`];
  const running = joiner.xenon(words, commandMs);
  // The first job of this node. Else the copy might be over before the link is cut.
  const goOn = await holdCopy({ dataFolder: joiner.dataFolder, job: 1, patienceMs });
  const copying = await poll(patienceMs, async () => {
    return (await joiner.status())?.sentence.includes("(S9)") ? true : null;
  });
  assert.ok(copying, await lab.sentences());
  await lab.network.fault(parted([joiner.host.name], [donor.host.name]));
  goOn();
  const result = await running;
  assert.match(
    result.stderrTail,
    /the old data is in place again and nothing was lost/,
    describeResult(result),
  );
  await lab.network.heal();
  assert.ok(await lab.whole(patienceMs), await lab.sentences());
  assert.equal((await joiner.status())?.mysql.serverUuid, before);
}
