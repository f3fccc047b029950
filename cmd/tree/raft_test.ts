import { expectCommands, nothing } from "./expect_words.ts";

const group = "raft";
const change = { group, common: nothing } as const;
const turn = { group, kind: "switch", common: nothing } as const;

Deno.test("the words of xenon raft are understood", () => {
  expectCommands({
    "raft status": { group, kind: "status", form: "exact", common: nothing },
    "raft status -o yaml": { group, kind: "status", form: "yaml", common: nothing },
    "raft nodes": { group, kind: "nodes", form: "table", common: nothing },
    "raft nodes --output json": { group, kind: "nodes", form: "json", common: nothing },
    "raft trytoleader": { group, kind: "trytoleader", common: nothing },
    "raft enablepurgebinlog": { ...turn, name: "purgeBinlog", on: true },
    "raft disablepurgebinlog": { ...turn, name: "purgeBinlog", on: false },
    "raft enablechecksemisync": { ...turn, name: "checkSemiSync", on: true },
    "raft disablechecksemisync": { ...turn, name: "checkSemiSync", on: false },
    "raft disable": { group, kind: "disable", common: nothing },
    "raft enable": { group, kind: "enable", common: nothing },
    "raft add b:1": { ...change, kind: "add", nodes: ["b:1"], wait: false },
    "raft remove --wait b:1,c:2": { ...change, kind: "remove", nodes: ["b:1", "c:2"], wait: true },
  });
});
