import assert from "node:assert/strict";
import { nearestName } from "./config_names.ts";

Deno.test("nearestName() finds slips of the keyboard and nothing far-fetched", () => {
  const known = ["heartbeat-timeout", "election-timeout", "admit-defeat-hearbeat-count", "port"];
  const cases: readonly (readonly [string, string | null])[] = [
    ["heartbeat_timeout", "heartbeat-timeout"],
    ["heartbeet-timout", "heartbeat-timeout"],
    ["admit-defeat-heartbeat-count", "admit-defeat-hearbeat-count"],
    ["PORT", "port"],
    ["prot", "port"],
    ["something-else", null],
    ["", null],
  ];
  for (const [word, name] of cases) assert.equal(nearestName(word, known), name, word);
});
