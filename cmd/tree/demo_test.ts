import { expectCommands, expectRefusals } from "./expect_words.ts";

const group = "demo";

Deno.test("the words of xenon demo are understood", () => {
  expectCommands({
    "demo": { group, keep: false, mysqld: undefined, writers: 4 },
    "demo --keep --mysqld /m --writers 7": { group, keep: true, mysqld: "/m", writers: 7 },
  });
  expectRefusals({ "demo --writers 0": /Wanted is a whole number from 1 to 64/ });
});
