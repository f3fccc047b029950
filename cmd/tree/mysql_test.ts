import { expectCommands, nothing } from "./expect_words.ts";

Deno.test("the words of xenon mysql are understood", () => {
  const status = { group: "mysql", kind: "status", common: nothing } as const;
  expectCommands({
    "mysql status": { ...status, form: "exact" },
    "mysql status -o table": { ...status, form: "table" },
  });
});
