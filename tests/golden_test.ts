/**
 * What operators see, letter by letter. After a wanted change run this file with
 * XENON_REWRITE_GOLDEN=1 and review the difference.
 */
import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { createFakeCluster, type FakeNode, guideNodes, statusOf } from "../cmd/fake_cluster.ts";
import { createFakeScreen } from "../cmd/fake_screen.ts";
import { createFakeWorld } from "../cmd/fake_world.ts";
import { outputForms } from "../cmd/options.ts";
import { buildTree } from "../cmd/program.ts";
import { run } from "../cmd/run.ts";

const folder = new URL("golden/", import.meta.url);
const [, second = "", leader = ""] = guideNodes;

/** What `xenon ...` prints on the first of the guide's hosts. */
async function printed(
  words: string,
  changes: Readonly<Record<string, FakeNode>> = {},
  colour = false,
) {
  const well = guideNodes.map((id): [string, FakeNode] => [
    id,
    { kind: "up", status: statusOf(id) },
  ]);
  const cluster = createFakeCluster({ ...Object.fromEntries(well), ...changes });
  const outcome = run(words.split(" "), {
    world: createFakeWorld({ colour, readText: () => Promise.resolve("[server]") }),
    programs: {
      openCluster: () => Promise.resolve(cluster),
      runAgent: () => Promise.resolve(1),
      checkFiles: () => Promise.resolve({ problems: [], warnings: [] }),
      writePrivate: () => Promise.resolve(),
      openSetup: () => Promise.reject(new Error("this host is set up")),
      takeStacks: () => Promise.resolve({ program: "gdb", pid: 42, text: "#0 main\n" }),
      openScreen: () => Promise.resolve(createFakeScreen()),
      runDemo: () => Promise.resolve(1),
    },
  });
  const { result } = await cluster.finish(outcome);
  assert.equal(result.stderr, "");
  return result.stdout;
}

function compare(name: string, actual: string): void {
  const path = new URL(name, folder);
  if (Deno.env.get("XENON_REWRITE_GOLDEN") === "1") Deno.writeTextFileSync(path, actual);
  assert.equal(actual, Deno.readTextFileSync(path));
}

Deno.test("cluster status draws the guide's table of three nodes", async () => {
  compare("cluster_status.txt", await printed("cluster status"));
});

Deno.test("cluster status draws dead hosts, a dead server and a failed backup", async () => {
  const { mysql } = statusOf(second);
  const status = statusOf(second, {
    role: "INVALID",
    sentence: "3 transactions exist only here: run xenon mysql rebuildme",
    mysqld: { running: "NOTRUNNING", monitor: "OFF" },
    backup: { state: "NONE", lastError: "no room on disk", last: null },
    mysql: { ...mysql, state: "DEAD", option: "" },
  });
  const changes: Record<string, FakeNode> = {
    [second]: { kind: "up", status },
    [leader]: { kind: "hanging" },
  };
  compare("cluster_status_broken.txt", await printed("cluster status", changes));
});

Deno.test("cluster status json prints exactly the original's keys", async () => {
  compare("cluster_status.json", await printed("cluster status json"));
});

Deno.test("cluster status -o json adds keys and keeps the original's first", async () => {
  compare("cluster_status_all.json", await printed("cluster status -o json"));
});

Deno.test("cluster gtid prints the leader last, as a table and as JSON", async () => {
  compare("cluster_gtid.txt", await printed("cluster gtid"));
  compare("cluster_gtid.json", await printed("cluster gtid json"));
});

Deno.test("mysql status, raft status and raft nodes print the original's keys", async () => {
  compare("mysql_status.json", await printed("mysql status"));
  compare("raft_status.json", await printed("raft status"));
  compare("raft_nodes.txt", await printed("raft nodes"));
});

Deno.test("the help of every command reads as it should, a file for each group", async () => {
  compare("help.txt", await helpOf([[]]));
  for (const group of buildTree(() => {}).commands) {
    const name = group.name();
    const words = [[name], ...group.commands.map((command) => [name, command.name()])];
    compare(`help_${name}.txt`, await helpOf(words));
  }
});

async function helpOf(commands: readonly (readonly string[])[]): Promise<string> {
  const texts = commands.map(async (words) => {
    const line = ["help", ...words].join(" ");
    return `$ xenon ${line}\n${await printed(line)}`;
  });
  return (await Promise.all(texts)).join("\n");
}

Deno.test("cluster mysql, raft and xenon draw the tables T3, T4 and T5", async () => {
  const dead: Record<string, FakeNode> = { [leader]: { kind: "hanging" } };
  for (const name of ["mysql", "raft", "xenon"]) {
    const whole = await printed(`cluster ${name}`);
    compare(`cluster_${name}.txt`, `${whole}\n${await printed(`cluster ${name}`, dead)}`);
  }
});

Deno.test("-o prints the facts of every command in every form", async () => {
  const dead: Record<string, FakeNode> = { [second]: { kind: "hanging" } };
  const commands = ["cluster status", "cluster gtid", "cluster mysql", "cluster raft"];
  for (const words of [...commands, "cluster xenon", "mysql status", "raft status", "raft nodes"]) {
    const texts = [];
    for (const form of outputForms) {
      const line = `${words} -o ${form}`;
      texts.push(`$ xenon ${line}\n${await printed(line, dead)}`);
    }
    compare(`forms_${words.replace(" ", "_")}.txt`, texts.join("\n"));
  }
});

Deno.test("colours show on a terminal only, and change no width", async () => {
  const plain = await printed("cluster status");
  const coloured = await printed("cluster status", {}, true);
  assert.notEqual(coloured, plain);
  assert.equal(stripVTControlCharacters(coloured), plain);
  assert.equal(
    await printed("cluster status -o tsv", {}, true),
    await printed("cluster status -o tsv"),
  );
});
