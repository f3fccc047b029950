import { expectCommands, expectRefusals, nothing } from "./expect_words.ts";

const group = "jobs";

Deno.test("the words of xenon jobs are understood", () => {
  expectCommands({
    "jobs": { group, kind: "list", form: "table", common: nothing },
    "jobs list -o json": { group, kind: "list", form: "json", common: nothing },
    "jobs follow": { group, kind: "follow", number: null, common: nothing },
    "jobs cancel 3": { group, kind: "cancel", number: 3, common: nothing },
  });
  expectRefusals({ "jobs follow x": /whole number/ });
});
