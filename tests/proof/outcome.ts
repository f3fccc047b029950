/** What came of a fault, and what is wrong with it. */
import type { Expectation } from "./fault.ts";

export interface Outcome {
  readonly fault: string;
  /** How long it lasted, where it was not over in a moment. */
  readonly awayMs: number;
  /** The longest time between two acknowledged writes. */
  readonly outageMs: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** Acknowledged and absent from a member; NaN where nobody could be asked. */
  readonly lost: number;
  /** Refused and present. */
  readonly ghosts: number;
  readonly twoAcknowledgingMs: number;
  readonly twoOpenMs: number;
  readonly twoHoldersMs: number;
  readonly leader: "another" | "same";
  /** Leaderships that began. */
  readonly terms: number;
  /** Elections that began because a leader was silent. */
  readonly timeouts: number;
  /** What members that could not follow said; each was rebuilt. */
  readonly invalid: readonly string[];
  /** Agents that ended by themselves and were started again, as a unit does. */
  readonly revived: number;
  /** Why it could not be brought to its end. */
  readonly trouble: string | null;
  /** What the agents said during the outage. */
  readonly said: readonly string[];
}

/** A busy machine may be slow; how fast a failover is, is read in the table. */
const outageMsMax = 20_000;
const staysMsMax = 10_000;
/** A transaction that only one server has, as a sentence must name it. */
const named = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[a-z0-9_]+)?:\d+/;

/** A broken promise of safety: no load of the machine excuses it. */
export function isBroken(outcome: Outcome, expect: Expectation): boolean {
  const { lost, ghosts, twoAcknowledgingMs, twoHoldersMs } = outcome;
  return lost !== 0 || ghosts > 0 || twoAcknowledgingMs > 0 ||
    twoHoldersMs > (expect.holdersMsMax ?? 0);
}

/** Sentences about everything that must not be so; none for a good outcome. */
export function complaintsOf(
  outcome: Outcome,
  expect: Expectation,
  awayMs: number,
): readonly string[] {
  const { outageMs, lost, ghosts, twoAcknowledgingMs, twoHoldersMs, leader, invalid } = outcome;
  const { terms, timeouts, trouble } = outcome;
  if (trouble !== null && lost === 0) return [trouble];
  if (trouble !== null) return [trouble, `its leader lacks ${lost} acknowledged writes`];
  const limit = {
    stay: staysMsMax,
    return: outageMsMax,
    afterwards: awayMs + outageMsMax,
  }[expect.writes];
  const holdersMsMax = expect.holdersMsMax ?? 0;
  const handoversMax = expect.handoversMax ?? Infinity;
  const unnamed = invalid.filter((sentence) => !named.test(sentence));
  const checks: readonly (readonly [boolean, string])[] = [
    [lost > 0, `${lost} acknowledged writes are lost`],
    [ghosts > 0, `${ghosts} refused writes are there`],
    [twoAcknowledgingMs > 0, `two servers acknowledged for ${Math.round(twoAcknowledgingMs)} ms`],
    [twoHoldersMs > holdersMsMax, `two hosts had the address for ${Math.round(twoHoldersMs)} ms`],
    [outageMs > limit, `nobody could write for ${Math.round(outageMs)} ms`],
    [expect.leader !== "any" && leader !== expect.leader, `${leader} node leads afterwards`],
    [terms > handoversMax, `${terms} changes of leadership, at most ${handoversMax} are allowed`],
    [handoversMax < Infinity && timeouts > 0, `${timeouts} elections by timeout`],
    [unnamed.length > 0, `INVALID without naming a transaction: ${unnamed.join("; ")}`],
    [expect.extra === true && invalid.length === 0, "the extra transaction was not noticed"],
  ];
  return checks.flatMap(([wrong, sentence]) => wrong ? [sentence] : []);
}
