/**
 * Watches every server directly, whoever leads: is it open by its flags, and does it acknowledge a
 * write? Two at a time must never acknowledge; two open by flag is reported in seconds.
 */
import { Connection, type Endpoint } from "../mysql/client.ts";
import { DatabaseError } from "../mysql/client_error.ts";
import { pause } from "../mysql/time_left.ts";
import { overlapMs, runsOf } from "../cmd/demo/ledger.ts";
import type { Account } from "../cmd/demo/workload.ts";

const everyMs = 20;
const connectMs = 200;
const answerMs = 500;
/** Two looks this far apart say nothing about the time between them. */
const gapMaxMs = 200;

/** Where the watchers write, each server for itself. */
export const probesName = "xenon_demo.probes";

/** Where a server is now: a new copy of it may have another socket. */
export type Place = () => Pick<Endpoint, "socketPath" | "host" | "port">;

interface Series {
  readonly open: number[];
  readonly acknowledged: number[];
}

/** Asks every server, again and again, whether it is open and whether it acknowledges. */
export class Watchers implements AsyncDisposable {
  readonly #account: Account;
  readonly #series: readonly Series[];
  readonly #loops: readonly Promise<void>[];
  #stopped = false;

  constructor(places: readonly Place[], account: Account) {
    this.#account = account;
    this.#series = places.map(() => ({ open: [], acknowledged: [] }));
    this.#loops = places.flatMap((place, index) => {
      const series = this.#series[index];
      if (series === undefined) return [];
      return [
        this.#repeat(place, async (connection) => {
          const sql = "SELECT @@GLOBAL.super_read_only AS closed, @@GLOBAL.read_only AS shut";
          const [row] = await connection.query(sql, { deadlineMs: answerMs });
          if (isOff(row?.["closed"]) && isOff(row?.["shut"])) series.open.push(performance.now());
        }),
        this.#repeat(place, async (connection) => {
          const sql = `INSERT INTO ${probesName} () VALUES ()`;
          await connection.change(sql, { deadlineMs: answerMs });
          series.acknowledged.push(performance.now());
        }),
      ];
    });
  }

  /** Milliseconds in which at least two servers were open by both flags. */
  twoOpenMs(): number {
    return overlapMs(this.#series.map(({ open }) => runsOf(open, gapMaxMs)));
  }

  /** Milliseconds in which at least two servers acknowledged writes. */
  twoAcknowledgingMs(): number {
    return overlapMs(this.#series.map(({ acknowledged }) => runsOf(acknowledged, gapMaxMs)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  /** Does `work` every 20 ms on a connection of its own, and connects again when it broke. */
  async #repeat(place: Place, work: (connection: Connection) => Promise<void>): Promise<void> {
    let connection: Connection | null = null;
    while (!this.#stopped) {
      const startedAt = performance.now();
      try {
        if (connection?.usable !== true) {
          connection = await Connection.connect({ ...this.#account, ...place(), connectMs });
        }
        await work(connection);
      } catch (error) {
        // Closed, dead or frozen: then it neither shows flags nor acknowledges.
        if (!(error instanceof DatabaseError)) throw error;
      }
      const waitMs = everyMs - (performance.now() - startedAt);
      if (waitMs > 0) await pause(waitMs);
    }
    await connection?.close();
  }
}

function isOff(value: unknown): boolean {
  return value === 0 || value === "0" || value === "OFF";
}
