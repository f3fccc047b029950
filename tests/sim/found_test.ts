/** What the simulator once found, by the seed that showed it. `tests/scenarios` tells what was wrong in the core. */
import assert from "node:assert/strict";
import { twoFounders } from "./planted_faults.ts";
import { threeVoters } from "./shape.ts";
import { shortStory } from "./story.ts";
import { restartedVoter } from "./planted_time_faults.ts";
import { run, type RunOptions } from "./world.ts";

/** Mistakes of the core. */
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
  [827_040, "an uncertain node stood first, and took the full vote from the leader that needed it"],
  [839_513, "a founding was taken over while its founder gave it up, and one node kept its list"],
  [
    86_928,
    "a node was removed while a commit proved its vote, and nobody acknowledged that commit",
  ],
  [84_981, "the node with the newest data was one term behind the one that stood, for ever"],
  [100_804, "a follower with a list that no majority has did not acknowledge for its leader"],
];

/** Mistakes of the model, and of a checker: nothing of the program was wrong, so no scenario tells them. */
const foundInModel: readonly (readonly [number, string])[] = [
  [310_142, "two operators on one node drew the same name for two clusters, which no UUID does"],
  [835_628, "an agent of the model was away while its node was rebuilt, which no real one is"],
  [874_182, "six nodes were rebuilt one after the other, and the time of the run was up"],
  [609_571, "a promise was given up in step with a later leader, which the checker did not know"],
  [837_068, "a leader that was cut off while it opened, and never open, is no broken lease"],
];

/** Found by faults that were aimed at something. */
const foundAimed: readonly (readonly [number, string, RunOptions])[] = [66, 123, 177, 292].map(
  (seed) => [
    seed,
    "the address was taken too early, as a restarted voter did not know of the old leader",
    { aim: restartedVoter, shape: threeVoters },
  ],
);

/** Among fresh nodes that two operators make clusters of. */
const foundFresh: readonly (readonly [number, string, RunOptions])[] = [
  [
    23_520,
    "a late promise and its late release freed a node from the later founding of the same founder",
    { aim: twoFounders, shape: { hosts: 5, founders: 5, idle: [], fresh: true } },
  ],
  [
    15_333,
    "two founders kept promises of each other's nodes, and one of them never came back to it",
    { shape: { hosts: 5, founders: 5, idle: [], fresh: true } },
  ],
  [
    3024,
    "a promise that came late kept a node out of the later list of the same founder",
    { aim: twoFounders, shape: { hosts: 5, founders: 5, idle: [], fresh: true } },
  ],
];

const all = [
  ...[...found, ...foundInModel].map(([seed, story]) => [seed, story, {}] as const),
  ...foundAimed,
  ...foundFresh,
];

for (const [seed, story, options] of all) {
  Deno.test(`seed ${seed}: ${story}`, () => {
    const { violation } = run(seed, options);
    assert.equal(violation, null, violation === null ? "" : shortStory(seed, options).join("\n"));
  });
}
