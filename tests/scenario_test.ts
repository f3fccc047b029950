import assert from "node:assert/strict";
import { retell } from "./scenario.ts";

const folder = new URL("./scenarios/", import.meta.url);
const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) =>
  name.endsWith(".txt")
).sort();

for (const name of names) {
  Deno.test(`the story ${name} still goes as it is told`, () => {
    const path = new URL(name, folder);
    const story = Deno.readTextFileSync(path);
    const now = retell(story);
    if (Deno.env.get("REWRITE") === "1") Deno.writeTextFileSync(path, now);
    else assert.equal(story, now, "run REWRITE=1 and read the difference before you keep it");
  });
}

Deno.test("a story with a word that is not known is refused", () => {
  assert.throws(() => retell("start\n----\n\ndance 100\n----\n"), /dance/);
});
