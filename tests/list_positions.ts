/** Positions for stories: comma lists such as `m1,a1,a2`; `m3` is the marker of term 3. */
import type { Position, Positions } from "../raft/types.ts";

export const listPositions: Positions = {
  contains: (whole, part) => items(part).every((item) => items(whole).includes(item)),
  union: (left, right) => listed([...items(left), ...items(right)]),
  subtract: (whole, part) => listed(items(whole).filter((item) => !items(part).includes(item))),
  markerTerm: (position) => Math.max(0, ...items(position).filter(isMarker).map(numberOf)),
  withoutOrigin: (position, origin) =>
    listed(items(position).filter((item) => !isMarker(item) && originOf(item) !== origin)),
  ofOrigin: (position, origin) =>
    listed(items(position).filter((item) => originOf(item) === origin)),
};

function items(position: Position): readonly string[] {
  return position === "" ? [] : position.split(",");
}

function listed(list: readonly string[]): Position {
  return [...new Set(list)].sort(byOriginAndNumber).join(",") as Position;
}

function byOriginAndNumber(left: string, right: string): number {
  if (isMarker(left) !== isMarker(right)) return isMarker(left) ? -1 : 1;
  const byOrigin = originOf(left).localeCompare(originOf(right));
  return byOrigin !== 0 ? byOrigin : numberOf(left) - numberOf(right);
}

function isMarker(item: string): boolean {
  return originOf(item) === "m";
}

function originOf(item: string): string {
  return item.replace(/\d+$/, "");
}

function numberOf(item: string): number {
  return Number(/\d+$/.exec(item)?.[0] ?? 0);
}
