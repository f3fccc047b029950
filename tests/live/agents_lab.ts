/** A whole cluster of real servers and agents on this machine, for the tests of what they do together. */
import assert from "node:assert/strict";
import { Lab, type LabOptions } from "../../cmd/demo/lab.ts";
import { cacheFolder, findMysqld } from "./lab.ts";

const main = new URL("../../main.ts", import.meta.url).pathname;

/** The command that runs xenon from the sources, without its words. */
export const program: readonly string[] = [Deno.execPath(), "run", "--quiet", "-A", main];

/** Opens it and waits until it is whole; on the way to that nothing stays behind. */
export async function openAgents(
  patienceMs: number,
  { timing = "default", edit }: Partial<Pick<LabOptions, "timing" | "edit">> = {},
): Promise<Lab> {
  const mysqld = await findMysqld();
  const say = () => {};
  const lab = new Lab({
    mysqld,
    cacheFolder,
    program,
    timing,
    say,
    ...(edit === undefined ? {} : { edit }),
  });
  try {
    await lab.open();
    assert.ok(await lab.waitWhole(patienceMs), await sentencesOf(lab));
    return lab;
  } catch (error) {
    await lab.close();
    throw error;
  }
}

/** What every node says, a line each. */
export async function sentencesOf(lab: Lab): Promise<string> {
  const statuses = await Promise.all(lab.nodes.map((node) => node.status()));
  return lab.nodes.map(({ id }, index) => {
    const status = statuses[index];
    return `${id}: ${status?.role} ${status?.sentence ?? "no answer"}`;
  }).join("\n");
}
