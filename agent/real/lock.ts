/**
 * Keeps two agents from sharing one folder of state. The lock belongs to the open file, so the
 * kernel gives it back however the process ends (flock(2)).
 */
import { messageOf } from "../../mysql/message_of.ts";

export interface FolderLock {
  /** The locked file; its text is the process id of the holder, for people only. */
  readonly path: string;
  [Symbol.dispose](): void;
}

/** Creates `folder` where absent and locks it, or says who holds it. */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = `${folder}/agent.lock`;
  const file = await openLock(folder, path);
  if (!await file.tryLock(true)) {
    file.close();
    const holder = (await Deno.readTextFile(path)).trim() || "unknown";
    throw new Error(
      `Cannot use folder ${JSON.stringify(folder)}: the agent with process id ${holder} uses it, ` +
        `give every agent a raft.meta-datadir of its own`,
    );
  }
  await file.truncate(0);
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  return { path, [Symbol.dispose]: () => file.close() };
}

async function openLock(folder: string, path: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    return await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (error) {
    const because = messageOf(error);
    const subject = `Cannot keep the state of this agent in ${JSON.stringify(folder)}`;
    throw new Error(`${subject}: ${because}`, { cause: error });
  }
}
