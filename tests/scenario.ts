/**
 * Stories about one node, as text: a command, a rule, what came of it, a blank line. Run with
 * REWRITE=1 they print what the core does now; read the difference before you keep it.
 *
 *     start members=a,b,c            the node is `a`; term=, voted=, promised=, uncertain, witness
 *     heartbeat 900 from=b term=2 base=m1,a1
 *     ----
 *     reply 1 heartbeatReply ...
 *     = follower ...
 */
import { describeEffect, describeState } from "../raft/describe.ts";
import type { Effect } from "../raft/effect.ts";
import type { State } from "../raft/state.ts";
import { start, step } from "../raft/step.ts";
import { type Config, freshDurable, type NodeId } from "../raft/types.ts";
import { listPositions } from "./list_positions.ts";
import {
  members,
  number,
  position,
  readWords,
  sourceOf,
  text,
  toEvent,
  type Words,
} from "./scenario_commands.ts";

const rule = "----";

/** The same story with its outputs replaced by what the core does. */
export function retell(story: string): string {
  let node: { readonly config: Config; readonly state: State } | null = null;
  const told: string[] = [];
  for (const block of story.trim().split(/\n\n+/)) {
    const { comments, commands } = read(block);
    const output: string[] = [];
    for (const command of commands) {
      const words = readWords(command);
      const config: Config = node?.config ?? configOf(words);
      const [state, effects]: readonly [State, readonly Effect[]] = node === null
        ? begin(config, words)
        : step(config, node.state, toEvent(words, node.state));
      node = { config, state };
      output.push(...effects.map(describeEffect));
    }
    if (node !== null && commands.length > 0) {
      output.push(`= ${describeState(node.config, node.state)}`);
      told.push([...comments, ...commands, rule, ...output].join("\n"));
    } else {
      told.push(comments.join("\n"));
    }
  }
  return `${told.join("\n\n")}\n`;
}

function read(block: string): {
  readonly comments: readonly string[];
  readonly commands: readonly string[];
} {
  const lines = block.split("\n");
  const end = lines.indexOf(rule);
  const asked = end < 0 ? lines : lines.slice(0, end);
  return {
    comments: asked.filter((line) => line.startsWith("#")),
    commands: asked.filter((line) => line !== "" && !line.startsWith("#")),
  };
}

/** The node of a story is `a`, with round numbers for its timers. */
function configOf(words: Words): Config {
  return {
    id: "a" as NodeId,
    source: sourceOf("a"),
    heartbeatMs: 100,
    electionMs: 1000,
    leaseMs: 700,
    handoverMs: 2000,
    witness: words.given.has("witness"),
    positions: listPositions,
  };
}

function begin(config: Config, words: Words): readonly [State, readonly Effect[]] {
  if (words.name !== "start") throw new RangeError("Cannot tell a story that has no start");
  const voted = words.given.get("voted");
  const last = words.given.get("last");
  const durable = {
    ...freshDurable("member-a"),
    membership: words.given.has("fresh") ? null : members(words),
    term: number(words, "term", 0),
    votedFor: voted === undefined ? null : voted as NodeId,
    promised: position(words, "promised"),
    uncertain: words.given.has("uncertain") ? "relay_log_recovery is ON" : null,
    lastLeader: last === undefined
      ? null
      : { id: last as NodeId, term: number(words, "lastTerm", number(words, "term", 0)) },
    incarnation: { boot: text(words, "boot", "1"), process: text(words, "run", "1") },
  };
  return start(config, durable, { at: words.at, seed: number(words, "seed", 7) });
}
