/**
 * Writers. Each believes that some server is the open leader and is not told when that ends: some
 * look around soon, some stay with an old leader as long as its socket lives.
 */
import type { Clock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { FakeServer, Session } from "./fake_mysql.ts";

export interface Habits {
  readonly betweenMs: number;
  /** How long a client waits for an answer before it gives up and looks around. */
  readonly patienceMs: number;
  /** Chance that it stays with its server after a refusal. */
  readonly loyalty: number;
}

export class Client {
  readonly #clock: Clock;
  readonly #dice: Dice;
  readonly #servers: readonly FakeServer[];
  readonly #habits: Habits;
  #server: FakeServer | null = null;

  constructor(
    servers: readonly FakeServer[],
    world: { readonly clock: Clock; readonly dice: Dice; readonly habits: Habits },
  ) {
    this.#servers = servers;
    this.#clock = world.clock;
    this.#dice = world.dice;
    this.#habits = world.habits;
  }

  /** Writes for ever. */
  run(): void {
    this.#clock.after(this.#habits.betweenMs * this.#dice.between(0.5, 1.5), () => this.#write());
  }

  #write(): void {
    const server = this.#chosen();
    if (server === null) return this.run();
    const began = this.#clock.now;
    let heard = false;
    const next = (outcome: string) => {
      if (heard) return;
      heard = true;
      if (outcome !== "acknowledged" && !this.#dice.chance(this.#habits.loyalty)) {
        this.#server = null;
      }
      this.run();
    };
    this.#clock.after(this.#dice.between(0.2, 2), () => this.#arrive(server, began, next));
    this.#clock.after(this.#habits.patienceMs, () => next("unknown"));
  }

  #arrive(server: FakeServer, began: number, next: (outcome: string) => void): void {
    if (!server.alive) return next("refused");
    const process = server.process;
    const session: Session = {
      born: this.#clock.now,
      began,
      phase: "executing",
      transaction: null,
      done: next,
    };
    server.sessions.add(session);
    // Most statements are short; some transactions stay open for long.
    const workMs = this.#dice.chance(0.05) ? this.#dice.between(20, 400) : this.#dice.between(0, 3);
    const commit = () => {
      if (session.phase !== "executing" || server.process !== process) return;
      if (server.hung) return this.#clock.after(10, commit);
      server.commit(session);
    };
    this.#clock.after(workMs, commit);
  }

  #chosen(): FakeServer | null {
    if (this.#server?.alive) return this.#server;
    const open = this.#servers.filter((server) => server.alive && !server.readOnly);
    this.#server = open.length === 0 ? null : this.#dice.pick(open);
    return this.#server;
  }
}
