import assert from "node:assert/strict";
import { complete } from "./complete.ts";
import { completeWords } from "./completion.ts";
import { createFakeCluster, guideNodes, statusOf } from "./fake_cluster.ts";
import { createFakeWorld } from "./fake_world.ts";
import type { Programs } from "./ports.ts";
import { buildTree } from "./program.ts";

const tree = buildTree(() => {});
const [first = "", second = "", leader = ""] = guideNodes;

/** The values for the last word; "|" stands for the blank before an empty last word. */
function valuesOf(line: string): readonly string[] | string {
  const completion = complete(tree, line.split(" ").map((word) => word === "|" ? "" : word));
  return completion.kind === "words"
    ? completion.candidates.map(({ value }) => value)
    : completion.kind;
}

Deno.test("complete() offers commands, at every depth and behind help", () => {
  assert.ok(valuesOf("|").includes("cluster"));
  assert.ok(valuesOf("|").includes("help"));
  assert.deepEqual(valuesOf("clus"), ["cluster"]);
  assert.deepEqual(valuesOf("cluster sta"), ["status"]);
  assert.deepEqual(valuesOf("--config x.toml cluster gt"), ["gtid"]);
  assert.deepEqual(valuesOf("help cluster sta"), ["status"]);
  assert.deepEqual(valuesOf("cluster status sta"), [], "a command's words are not offered twice");
});

Deno.test("complete() offers options with those of all commands above", () => {
  assert.deepEqual(valuesOf("cluster status --wait"), ["--wait", "--wait-leader"]);
  assert.deepEqual(valuesOf("cluster status --conf"), ["--config"]);
  assert.deepEqual(valuesOf("cluster status --he"), ["--help"]);
  assert.deepEqual(valuesOf("cluster sta --keep"), []);
});

Deno.test("complete() offers the values of an option or an argument that has few", () => {
  const forms = ["table", "wide", "json", "yaml", "tsv"];
  assert.deepEqual(valuesOf("cluster status -o |"), forms);
  assert.deepEqual(valuesOf("cluster status --output y"), ["yaml"]);
  assert.deepEqual(valuesOf("cluster status --output=y"), ["--output=yaml"]);
  assert.deepEqual(valuesOf("cluster status |"), ["json"]);
  assert.deepEqual(valuesOf("completion z"), ["zsh"]);
  assert.deepEqual(valuesOf("--timeout |"), [], "nobody can guess a number");
});

Deno.test("complete() leaves paths to the shell", () => {
  assert.equal(valuesOf("--config |"), "files");
  assert.equal(valuesOf("config convert xen"), "files");
  assert.equal(valuesOf("demo --mysqld=/usr"), "files");
});

Deno.test("complete() asks for nodes one by one in a list", () => {
  assert.deepEqual(complete(tree, ["cluster", "remove", "a:1,b:1,c"]), {
    kind: "nodes",
    before: "a:1,b:1,",
    begun: "c",
    taken: ["a:1", "b:1", ""],
  });
  assert.deepEqual(valuesOf("cluster remove a:1 |"), [], "there is no second argument");
});

async function linesOf(words: readonly string[], config = "[server]"): Promise<string> {
  const cluster = createFakeCluster(
    Object.fromEntries(guideNodes.map((id) => [id, { kind: "up", status: statusOf(id) }] as const)),
  );
  const world = createFakeWorld({
    readText: (path) =>
      Promise.resolve(path.endsWith(".toml") && config !== "" ? config : undefined),
  });
  const programs = { openCluster: () => Promise.resolve(cluster) } as unknown as Programs;
  const { result } = await cluster.finish(
    completeWords(tree, ["__complete", "--", ...words], { world, programs }),
  );
  assert.equal(result.stderr, "");
  return result.stdout;
}

Deno.test("completeWords() knows the nodes of the cluster, and not those that are named already", async () => {
  const all = `${first}\t\n${second}\t\n${leader}\tleader\n`;
  assert.equal(await linesOf(["cluster", "remove", ""]), all);
  const list = `${first},${second}\t\n${first},${leader}\tleader\n`;
  assert.equal(await linesOf(["cluster", "remove", `${first},`]), list);
});

Deno.test("completeWords() is silent when there is no config or no agent", async () => {
  assert.equal(await linesOf(["cluster", "remove", ""], ""), "");
  const hanging = createFakeCluster({ [first]: { kind: "hanging" } });
  const programs = { openCluster: () => Promise.resolve(hanging) } as unknown as Programs;
  const world = createFakeWorld({ readText: () => Promise.resolve("[server]") });
  const words = ["__complete", "--", "cluster", "remove", ""];
  const { result, elapsedMs } = await hanging.finish(
    completeWords(tree, words, { world, programs }),
  );
  assert.deepEqual([result.code, result.stdout, elapsedMs], [0, "", 1000]);
});

Deno.test("completeWords() asks the shell for its files", async () => {
  assert.equal(await linesOf(["--config", ""]), ":files\n");
});
