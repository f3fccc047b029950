/** The words of `xenon demo`. */
import type { DemoOptions } from "../ports.ts";
import { examples, type Found, type Tree, wholeNumber } from "./words.ts";

export interface DemoCommand extends DemoOptions {
  readonly group: "demo";
}

const writersMax = 64;

/** Adds `demo`. */
export function addDemo(tree: Tree, found: Found<DemoCommand>): void {
  tree.command("demo")
    .description("Three real servers on this machine, two killed leaders, and nothing lost")
    .option("--keep", "Leave servers and data behind to look at", false)
    .option("--mysqld <path>", "The MySQL server program to start")
    .option("--writers <n>", "Clients that write all the time", wholeNumber(1, writersMax), 4)
    .addHelpText("after", examples("xenon demo --mysqld /usr/sbin/mysqld"))
    .action(({ keep, mysqld, writers }) => found({ group: "demo", keep, mysqld, writers }));
}
