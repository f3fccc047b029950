/** Colours for a terminal: what is wrong stands out, and so does the leader. */

/** Escape sequences of ECMA-48: a colour, and back to the usual one. */
const colours = { bad: 31, good: 32, warning: 33 } as const;
const usualColour = 39;

const words: readonly (readonly [pattern: RegExp, tone: keyof typeof colours])[] = [
  [/^UNKNOW$|^\[?DEAD\]?$|(?:^|@)INVALID$|^NOTRUNNING$|^\[.*\bfalse\b.*\]$/, "bad"],
  [/(?:^|@)LEADER$/, "good"],
  [/(?:^|@)(?:CANDIDATE|LEARNER|IDLE)$|^OFF$/, "warning"],
];

/** Colours a line of a cell by what it says. */
export function tint(line: string): string {
  const tone = words.find(([pattern]) => pattern.test(line))?.[1];
  return tone === undefined ? line : `\u001b[${colours[tone]}m${line}\u001b[${usualColour}m`;
}
