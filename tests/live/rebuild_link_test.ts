/** The network between joiner and donor breaks during a rebuild, on hosts of their own. */
import assert from "node:assert/strict";
import { poll } from "../../cmd/demo/lab.ts";
import { describeResult } from "../../mysql/process.ts";
import { testWithHosts } from "./hosts.ts";
import { parted } from "./hosts_faults.ts";
import { HostsLab } from "./hosts_lab.ts";

const patienceMs = 90_000;
const commandMs = 180_000;

await testWithHosts("a link that breaks during a rebuild leaves the node as it was", async () => {
  await using lab = await HostsLab.open(3, { ownDisks: false });
  assert.ok(await lab.whole(patienceMs), await lab.sentences());
  const leader = await lab.leader(patienceMs);
  const [joiner, donor] = lab.nodes.filter((node) => node !== leader);
  assert.ok(joiner !== undefined && donor !== undefined);
  const before = (await joiner.status())?.mysql.serverUuid;
  const running = joiner.xenon(["mysql", "rebuildme", `--from=${donor.id}`], commandMs);
  const copying = await poll(patienceMs, async () => {
    return (await joiner.status())?.sentence.includes("(S9)") ? true : null;
  });
  assert.ok(copying, await lab.sentences());
  await lab.network.fault(parted([joiner.host.name], [donor.host.name]));
  const result = await running;
  assert.match(
    result.stderrTail,
    /the old data is in place again and nothing was lost/,
    describeResult(result),
  );
  await lab.network.fault([]);
  assert.ok(await lab.whole(patienceMs), await lab.sentences());
  assert.equal((await joiner.status())?.mysql.serverUuid, before);
});
