/** GTID sets behind the protocol's opaque positions. Text in, text out, always in canonical form. */
import { EMPTY_POSITION, type Position, type Positions } from "../raft/types.ts";
import {
  contains,
  emptySet,
  formatLine,
  type GtidSet,
  isEmpty,
  lastOf,
  ofSource,
  parse,
  subtract,
  union,
} from "../mysql/gtid.ts";
import { purposeUuid } from "../mysql/plan_arrange.ts";

/** The same few sets come up in every heartbeat; parsing each once is enough. */
const parsedMax = 64;
/** Of the sets that are kept; an interval takes some ten times the memory of its text. */
const parsedCharactersMax = 4 * 1024 * 1024;
let parsedCharacters = 0;
const parsed = new Map<string, GtidSet>();

/** The questions of the protocol, answered by GTID set algebra. */
export const gtidPositions: Positions = {
  contains: (whole, part) => whole === part || contains(setOf(whole), setOf(part)),
  union: (left, right) => left === right ? left : positionOf(union(setOf(left), setOf(right))),
  subtract: (whole, part) =>
    whole === part ? EMPTY_POSITION : positionOf(subtract(setOf(whole), setOf(part))),
  markerTerm: (position, cluster) => Number(lastOf(setOf(position), cluster)),
  withoutOrigin: (position, origin, cluster) => {
    let kept = setOf(position);
    for (const source of [...sourcesOf(origin), cluster.toLowerCase()]) {
      kept = subtract(kept, ofSource(kept, source));
    }
    return positionOf(kept);
  },
  ofOrigin: (position, origin) => {
    const all = setOf(position);
    const own = sourcesOf(origin).map((source) => ofSource(all, source));
    return positionOf(own.reduce(union, emptySet));
  },
};

/** What a leader commits to prove its acknowledgements is as much its own as any write. */
function sourcesOf(origin: string): readonly string[] {
  const own = origin.toLowerCase();
  return own === "" ? [] : [own, purposeUuid(own)];
}

/** Canonical position of a GTID set's text. Throws a SyntaxError when it is none. */
export function position(text: string): Position {
  return positionOf(setOf(text));
}

function positionOf(set: GtidSet): Position {
  return (isEmpty(set) ? "" : formatLine(set)) as Position;
}

function setOf(text: string): GtidSet {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const set = parse(text);
  parsed.set(text, set);
  parsedCharacters += text.length;
  for (const oldest of parsed.keys()) {
    if (parsed.size <= parsedMax && parsedCharacters <= parsedCharactersMax) break;
    parsed.delete(oldest);
    parsedCharacters -= oldest.length;
  }
  return set;
}
