/** Faults of a network as rules of its switch, see nft(8): each is one line, all of them one table. */

/** What is dropped on its way from one port of the switch to another. */
export interface Fault {
  /** Name of the host that sends; absent for every one. */
  readonly from?: string;
  /** Name of the host that receives; absent for every one. */
  readonly to?: string;
  /** Only connections to this TCP port of the receiver. */
  readonly tcpPort?: number;
  /** So many packets of a hundred, drawn anew for each; absent for all of them. */
  readonly lossPercent?: number;
}

/** Nothing from `from` reaches `to`; the other direction works. */
export function oneWay(from: string, to: string): readonly Fault[] {
  return [{ from, to }];
}

/** Neither side hears the other one. */
export function parted(left: readonly string[], right: readonly string[]): readonly Fault[] {
  return left.flatMap((one) => right.flatMap((other) => bothWays(one, other)));
}

/** The host's cable is broken for both directions, and its link still looks alive. */
export function isolated(host: string): readonly Fault[] {
  return [{ from: host }, { to: host }];
}

/** No host of the list reaches a TCP port of another one; everything else works. */
export function portCut(hosts: readonly string[], tcpPort: number): readonly Fault[] {
  return hosts.flatMap((from) =>
    hosts.filter((to) => to !== from).map((to) => ({ from, to, tcpPort }))
  );
}

/** So many packets of a hundred are lost in each direction, everywhere. */
export function lossy(lossPercent: number): readonly Fault[] {
  return [{ lossPercent }];
}

/** A text for `nft -f` that replaces all faults in one step. */
export function rulesOf(faults: readonly Fault[]): string {
  const table = "table bridge faults";
  const chain = "chain forward { type filter hook forward priority 0; policy accept;";
  const rules = faults.map((fault) => `    ${ruleOf(fault)}`).join("\n");
  return `${table} {}\ndelete ${table}\n${table} {\n  ${chain}\n${rules}\n  }\n}\n`;
}

function ruleOf({ from, to, tcpPort, lossPercent }: Fault): string {
  return [
    ...(from === undefined ? [] : [`iifname "${from}"`]),
    ...(to === undefined ? [] : [`oifname "${to}"`]),
    ...(tcpPort === undefined ? [] : [`tcp dport ${tcpPort}`]),
    ...(lossPercent === undefined ? [] : [`numgen random mod 100 < ${lossPercent}`]),
    "drop",
  ].join(" ");
}

function bothWays(one: string, other: string): readonly Fault[] {
  return [{ from: one, to: other }, { from: other, to: one }];
}
