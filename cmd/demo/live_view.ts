/**
 * What people see while the demonstration runs. On a terminal the status table stays at the bottom
 * and is drawn again and again, and the story scrolls above it; elsewhere there are lines only.
 */
import type { NodeAnswer } from "../gather.ts";
import { statusColumns, tableOf as nodeTable } from "../node_tables.ts";
import { renderTable } from "../table.ts";
import type { Lab } from "./lab.ts";
import type { Ledger } from "./ledger.ts";
import { pause } from "../../mysql/time_left.ts";

const redrawMs = 500;
const columnsDefault = 160;

/** Shows a cluster on the terminal while it runs. */
export class LiveView implements AsyncDisposable {
  readonly #terminal = Deno.stdout.isTerminal();
  readonly #startedAt = performance.now();
  #shown = 0;
  #stopped = false;
  #loop: Promise<void> = Promise.resolve();
  #block: readonly string[] = [];

  /** One line of the story. */
  say(sentence: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1).padStart(5);
    this.#write(`${this.#erase()}${seconds} s  ${sentence}\n`);
    this.#draw();
  }

  /** Begins to draw the table; only a terminal shows it all the time. */
  watch(lab: Lab, ledger: Ledger): void {
    if (this.#terminal) this.#loop = this.#redraw(lab, ledger);
  }

  /** Prints the table once, as `xenon cluster status` would. */
  async table(lab: Lab): Promise<void> {
    const table = await tableOf(lab);
    this.#write(`${this.#erase()}${table}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#loop;
    this.#write(this.#erase());
  }

  async #redraw(lab: Lab, ledger: Ledger): Promise<void> {
    while (!this.#stopped) {
      const table = await tableOf(lab);
      const { acknowledged, failed, unknown } = ledger;
      const counts = `${acknowledged.length} acknowledged, ${failed.length} refused, ` +
        `${unknown.length} with unknown outcome`;
      this.#block = [...table.trimEnd().split("\n"), counts];
      this.#write(this.#erase());
      this.#draw();
      await pause(redrawMs);
    }
    this.#block = [];
  }

  #draw(): void {
    if (this.#block.length === 0) return;
    const columns = columnsOf();
    // A line that wraps would take two rows, and erasing would miss one.
    const lines = this.#block.map((line) => [...line].slice(0, columns - 1).join(""));
    this.#write(`${lines.join("\n")}\n`);
    this.#shown = lines.length;
  }

  /** Control characters that remove the table: up so many rows, then everything below. */
  #erase(): string {
    const up = this.#shown === 0 ? "" : `\x1b[${this.#shown}A\r\x1b[J`;
    this.#shown = 0;
    return up;
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    try {
      for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
    } catch (error) {
      // Whoever closed the pipe has seen enough; the servers must still be ended.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }
}

async function tableOf(lab: Lab): Promise<string> {
  const answers = await Promise.all(lab.nodes.map(async (node): Promise<NodeAnswer> => {
    const status = await node.status();
    return status === null
      ? { kind: "missing", id: node.id, because: "no answer" }
      : { kind: "answered", id: node.id, status };
  }));
  return renderTable(nodeTable(statusColumns, answers, { wide: false }));
}

function columnsOf(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // Not every terminal says how wide it is.
    return columnsDefault;
  }
}
