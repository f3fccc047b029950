/** What operators say to agents: take over, leave, switch a node, add and remove members. */
import type { MemberChange } from "../../raft/event.ts";
import type { Durable, NodeId } from "../../raft/types.ts";
import type { SimAgent } from "./agent.ts";
import type { Dice } from "./dice.ts";
import { nameOf } from "./view.ts";

export type Operation = "takeover" | "leave" | "disable" | "enable" | "add" | "addIdle" | "remove";

export class Operators {
  readonly #agents: readonly SimAgent[];
  readonly #dice: Dice;
  /** How long an agent that was told to leave stays away, by `node/request`. */
  readonly #leaving = new Map<string, number>();
  /** Nodes that were told "you are switched off" and not told otherwise since. */
  readonly off = new Set<number>();
  readonly #switching = new Map<string, "disable" | "enable">();
  #request = 0;

  constructor(agents: readonly SimAgent[], dice: Dice) {
    this.#agents = agents;
    this.#dice = dice;
  }

  say(operation: Operation, index: number, forMs: number): void {
    const agent = this.#agents[index];
    const request = ++this.#request;
    switch (operation) {
      case "takeover":
        return agent?.happens({ kind: "stand", request });
      case "leave":
        this.#leaving.set(`${index}/${request}`, forMs);
        return agent?.happens({ kind: "leave", request });
      case "disable":
      case "enable":
        this.#switching.set(`${index}/${request}`, operation);
        return agent?.happens({ kind: operation, request });
      case "add":
      case "addIdle":
      case "remove":
        return this.#change(operation, index);
    }
  }

  /** A request was answered. */
  answered(index: number, request: number, refused: string | null): void {
    const operation = this.#switching.get(`${index}/${request}`);
    if (refused !== null || operation === undefined) return;
    if (operation === "disable") this.off.add(index);
    else this.off.delete(index);
  }

  /** A switching on counts from its record on: the host may lose its power before it answers. */
  recorded(index: number, durable: Durable): void {
    if (durable.disabled) return;
    for (const [asked, operation] of this.#switching) {
      if (operation === "enable" && asked.startsWith(`${index}/`)) this.off.delete(index);
    }
  }

  /** How long an agent stays away whose request to leave was answered; undefined for other requests. */
  awayMs(index: number, request: number): number | undefined {
    return this.#leaving.get(`${index}/${request}`);
  }

  /** After the faults: whatever was switched off is switched on again. */
  enableAll(): void {
    for (const agent of this.#agents) if (agent.disk.disabled) this.say("enable", agent.index, 0);
  }

  /** Said to somebody who believes to lead, which may be an old leader. */
  #change(operation: "add" | "addIdle" | "remove", index: number): void {
    const leaders = this.#agents.filter(({ state }) => state?.role === "leader");
    const target = this.#agents[index];
    if (leaders.length === 0 || target === undefined) return;
    // A witness is only named at the founding.
    if (operation !== "remove" && target.isWitness) return;
    const id = nameOf(index) as NodeId;
    const change: MemberChange = operation === "remove"
      ? { kind: "remove", id, onlyIdle: false }
      : { kind: "add", id, member: target.disk.member, idle: operation === "addIdle" };
    const leader = this.#dice.pick(leaders);
    leader.happens({ kind: "changeMember", request: ++this.#request, change });
  }
}
