import assert from "node:assert/strict";
import { parseArguments } from "../program.ts";
import { expectCommands, expectRefusals, nothing } from "./expect_words.ts";

const group = "cluster";

Deno.test("the words of xenon cluster are understood", () => {
  const add = { group, kind: "add", wait: false, common: nothing } as const;
  const remove = { ...add, kind: "remove" } as const;
  const facts = { group, common: nothing } as const;
  const status = { ...facts, kind: "status", wait: undefined } as const;
  expectCommands({
    "cluster add b:1,c:2": { ...add, nodes: ["b:1", "c:2"] },
    "cluster add ,b:1,b:1,": { ...add, nodes: ["b:1"] },
    "cluster add [fd00::1]:8801": { ...add, nodes: ["[fd00::1]:8801"] },
    "cluster addidle d:1": { ...add, kind: "addidle", nodes: ["d:1"] },
    "cluster removeidle d:1": { ...remove, kind: "removeidle", nodes: ["d:1"] },
    "cluster remove b:1,c:2": { ...remove, nodes: ["b:1", "c:2"] },
    "--config a.toml cluster remove b:1": {
      ...remove,
      nodes: ["b:1"],
      common: { ...nothing, config: "a.toml" },
    },
    "cluster status": { ...status, form: "table" },
    "cluster status json": { ...status, form: "exact" },
    "cluster status -o json": { ...status, form: "json" },
    "cluster status --wait": { ...status, form: "table", wait: "healthy" },
    "cluster status --wait-leader -o tsv": { ...status, form: "tsv", wait: "leader" },
    "cluster add --wait b:1": { ...add, nodes: ["b:1"], wait: true },
    "cluster mysql": { ...facts, kind: "mysql", form: "table" },
    "cluster raft -o wide": { ...facts, kind: "raft", form: "wide" },
    "cluster xenon -o tsv": { ...facts, kind: "xenon", form: "tsv" },
    "cluster log": { ...facts, kind: "log", since: undefined, until: undefined, form: "table" },
    "cluster log --start-datetime 10m --stop-datetime 2026-07-31T15:58:33Z -o tsv": {
      ...facts,
      kind: "log",
      since: { kind: "ago", ms: 600_000 },
      until: { kind: "at", ms: Date.UTC(2026, 6, 31, 15, 58, 33) },
      form: "tsv",
    },
    "cluster gtid json --timeout 2.5": {
      group,
      kind: "gtid",
      form: "exact",
      common: { ...nothing, timeoutMs: 2500 },
    },
  });
});

Deno.test("wrong words of xenon cluster are refused with the next step", () => {
  expectRefusals({
    "cluster": /^Cannot run "xenon cluster" as the command is missing; next: xenon help cluster$/,
    "cluster statsu": /'statsu' \(Did you mean status\?\); next: xenon help cluster$/,
    "cluster status xml": /The only word here is "json"; next: xenon help cluster status$/,
    "cluster log --start-datetime never": /Wanted is a time such as "2026\/07\/31 15:58:33"/,
    "cluster mysql json": /too many arguments/,
    "cluster status json json": /too many arguments/,
    "cluster status --timeot 5": /unknown option '--timeot' \(Did you mean --timeout\?\)/,
    "cluster status --timeout abc": /Wanted is a number of seconds up to 600/,
    "cluster status --timeout 0": /Wanted is a number of seconds/,
    "cluster status --timeout 601": /Wanted is a number of seconds/,
    "cluster status -o xml": /Allowed choices are table, wide, json, yaml, tsv/,
    "cluster add": /missing required argument 'nodes'; next: xenon help cluster add$/,
    "cluster add b": /Node "b" is not host:port/,
    "cluster add b:0": /Node "b:0" is not host:port/,
    "cluster add b:65536": /Node "b:65536" is not host:port/,
    "cluster add fd00::1:8801": /is not host:port/,
    "cluster add b:1 c:2": /too many arguments/,
    "cluster remove": /missing required argument 'nodes'; next: xenon help cluster remove$/,
    "cluster remove b:1 c:2": /too many arguments/,
    "help cluster nothing":
      /^Cannot run "xenon cluster" as "nothing" is unknown; next: xenon help cluster$/,
    "help cluster add b:1": /^Cannot run "xenon cluster add" as "b:1" is unknown; next: /,
  });
});

Deno.test("xenon cluster add refuses more nodes than one addition may name", () => {
  const nodes = Array.from({ length: 17 }, (_, index) => `b${index}:1`).join(",");
  const parsed = parseArguments(["cluster", "add", nodes]);
  assert.match(parsed.kind === "usageError" ? parsed.because : "", /17 nodes are more than 16/);
});
