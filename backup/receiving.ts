/** The joiner's tools of a copy over ssh: the folder it comes into, its completeness, its preparation. */
import { run, succeeded } from "../mysql/process.ts";
import { describeEnd } from "../mysql/process_end.ts";
import type { Copied, CopyWish } from "./copy_method.ts";
import { giveAway, sizeOf } from "./folder.ts";
import { endLeft } from "./left_processes.ts";
import { toolVersionIn } from "./sending.ts";
import {
  infoFileNames,
  positionFileName,
  prepareCommand,
  readInfo,
  readPosition,
  whyUnfinished,
} from "./xtrabackup.ts";

/** Recovery of a large log takes its time. */
const prepareMs = 24 * 3_600_000;
const prepareTermMs = 5_000;
const outputBytesMax = 262_144;
const endMs = 5_000;

/** The receiving half of a copy: unpacks the stream, prepares the files, reads the info files. */
export class Receiving {
  readonly #toolFolder: string;

  constructor(toolFolder: string) {
    this.#toolFolder = toolFolder;
  }

  version(): Promise<string | null> {
    return toolVersionIn(this.#toolFolder);
  }

  async makeTarget({ target, owner }: CopyWish): Promise<void> {
    await Deno.mkdir(target, { mode: 0o750 });
    await Deno.chmod(target, 0o750);
    if (Deno.uid() === 0) await Deno.chown(target, owner.uid, owner.gid);
  }

  /** An sshd that lost its client without a word would keep unpacking for hours. */
  endReceivers(target: string): Promise<void> {
    const are = (words: readonly string[]) => unpacks(words, target);
    return endLeft({ are, doing: `unpack into "${target}"`, endMs });
  }

  async judge(target: string): Promise<Copied> {
    const read = (name: string) => readPart(target, name);
    for (const name of infoFileNames) await read(name);
    const checkpoints = await read(infoFileNames[0]);
    if (!/^backup_type = full-backuped$/m.test(checkpoints)) {
      throw new Error(`The copy in "${target}" is no full backup: see its ${infoFileNames[0]}`);
    }
    const position = readPosition(await read(positionFileName));
    const told = readInfo(await read(infoFileNames[1])).gtidSet;
    if (position !== told) {
      throw new Error(`The copy in "${target}" names two positions: "${position}" and "${told}"`);
    }
    return { gtids: position, bytes: await sizeOf(target) };
  }

  async prepare({ target, limits, owner }: CopyWish, signal: AbortSignal): Promise<void> {
    const wish = { toolFolder: this.#toolFolder, folder: target, useMemory: limits.useMemory };
    const result = await run(prepareCommand(wish), {
      deadlineMs: prepareMs,
      termMs: prepareTermMs,
      stderrBytesMax: outputBytesMax,
      ownSession: true,
      signal,
    });
    signal.throwIfAborted();
    const unfinished = whyUnfinished(result.stderrTail);
    if (!succeeded(result) || unfinished !== null) {
      throw new Error(`xtrabackup --prepare ${describeEnd(result)}: ${unfinished ?? "see above"}`);
    }
    await giveAway(target, owner);
  }
}

async function readPart(target: string, name: string): Promise<string> {
  try {
    return await Deno.readTextFile(`${target}/${name}`);
  } catch (cause) {
    throw new Error(`The copy in "${target}" is not whole as it has no ${name}`, { cause });
  }
}

/** Is this our own xbstream into this very folder? */
function unpacks(words: readonly string[], target: string): boolean {
  const into = words.includes("-x") && words.includes("-C") && words.includes(target);
  return into && words.some((word) => /(^|\/)(xb|mb)stream$/.test(word));
}
