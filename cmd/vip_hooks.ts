/**
 * Finds the virtual address in the original's two commands, which every guide writes in the same
 * way: `sudo ip a a VIP/24 dev IF && arping -c 3 -A VIP -I IF`, and `sudo ip a d VIP/24 dev IF`.
 */

export interface FoundVip {
  readonly address: string;
  readonly prefix: number;
  readonly interface: string;
  /** What of both commands has nothing to do with the address; empty when nothing is left. */
  readonly startRest: string;
  readonly stopRest: string;
  /** The address was added by the stop command: the original's `init` wrote it so by mistake. */
  readonly swapped: boolean;
}

interface Move {
  readonly verb: "add" | "remove";
  readonly address: string;
  readonly prefix: number;
  readonly interface: string;
}

const asRoot = String.raw`^(?:sudo\s+(?:-\w+\s+)*)?(?:\S*/)?`;
const movePattern = new RegExp(
  asRoot +
    String.raw`ip\s+(?:-[46]\s+)?a(?:ddr(?:ess)?)?\s+(a(?:dd)?|replace|d(?:el(?:ete)?)?)\s+` +
    String.raw`([0-9a-fA-F.:]+)(?:/(\d{1,3}))?\s+dev\s+([\w.@-]+)(?:\s|$)`,
);
const announcePattern = new RegExp(asRoot + String.raw`(?:arping|ndsend)\s`);

/** The address that the two commands move; null when they do something else. */
export function findVip(start: string, stop: string): FoundVip | null {
  const [starts, stops] = [partsOf(start), partsOf(stop)];
  const [first, last] = [movesOf(starts), movesOf(stops)];
  const move = first[0] ?? last[0];
  if (move === undefined) return null;
  const all = [...first, ...last];
  const same = all.every((one) => one.address === move.address && one.interface === move.interface);
  const swapped = first.every(({ verb }) => verb === "remove") &&
    last.every(({ verb }) => verb === "add");
  const usual = first.every(({ verb }) => verb === "add") &&
    last.every(({ verb }) => verb === "remove");
  if (!same || !(usual || swapped)) return null;
  const { address, prefix } = move;
  const rest = (parts: readonly string[]) =>
    parts.filter((part) => !isAbout(part, address)).join(" && ");
  return {
    address,
    prefix,
    interface: move.interface,
    startRest: rest(starts),
    stopRest: rest(stops),
    swapped,
  };
}

/** The commands between `&&` and `;`, quoted text kept together; "nop" is none. */
function partsOf(command: string): readonly string[] {
  const marked = command.replace(
    /"[^"]*"|'[^']*'|&&|;/g,
    (token) => token === "&&" || token === ";" ? "\0" : token,
  );
  return marked.split("\0").map((part) => part.trim()).filter((part) =>
    part !== "" && part !== "nop"
  );
}

function movesOf(parts: readonly string[]): readonly Move[] {
  return parts.flatMap((part): readonly Move[] => {
    const match = movePattern.exec(part);
    if (match === null) return [];
    const [, verb = "", address = "", prefix, device = ""] = match;
    // ip(8) takes an address without a prefix for one host alone.
    const whole = address.includes(":") ? 128 : 32;
    return [{
      verb: verb.startsWith("d") ? "remove" : "add",
      address,
      prefix: prefix === undefined ? whole : Number(prefix),
      interface: device,
    }];
  });
}

function isAbout(part: string, address: string): boolean {
  if (movePattern.test(part)) return true;
  return announcePattern.test(part) && part.split(/\s+/).includes(address);
}
