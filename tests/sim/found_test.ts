/** What the simulator once found in the core, by the seed that showed it. `tests/scenarios` tells each. */
import assert from "node:assert/strict";
import { shortStory } from "./story.ts";
import { run } from "./world.ts";

const found: readonly (readonly [number, string])[] = [
  [32, "the second server beside a witness was removed, and writes stopped for good"],
  [135, "the same, in a leader that was still opening"],
  [329, "a founding was stored on some nodes while another one's promises were given back"],
  [322, "an unfinished founding was mixed with another list of the same nodes"],
  [7386, "the last word of a founding was lost, and nobody said it again"],
  [900, "two candidates of different member lists refused each other for ever"],
  [2858, "a new voter did not know of its vote, and refused the candidate that brought the list"],
  [102_028, "a candidate never learned of the newer list, as only votes brought it"],
  [237_341, "a voter that was cut off and removed came back and acknowledged what only it held"],
  [229_122, "a node was on again by its disk, and lost its power before it said so"],
  [231_563, "the same"],
  [100_804, "a follower with a list that no majority has did not acknowledge for its leader"],
];

for (const [seed, story] of found) {
  Deno.test(`seed ${seed}: ${story}`, () => {
    const { violation } = run(seed);
    assert.equal(violation, null, violation === null ? "" : shortStory(seed).join("\n"));
  });
}
