/**
 * The few files an agent keeps. What must survive is written to a new file, synced, renamed over
 * the old one, and the folder synced, so that a crash leaves either the old or the new text.
 * Every call carries the name of its place, so that a test can break that one and no other.
 */
import { messageOf } from "../../mysql/message_of.ts";

/** A disk that takes longer is treated as broken: the agent cannot keep promises with it. */
const DISK_MS_MAX = 10_000;

/** Files of an agent are small; a larger one is something else. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** Secrets and votes are nobody else's business. */
const PRIVATE_MODE = 0o600;

/** Writes to one path go one after the other: two of them would share the temporary file. */
const pendingByPath = new Map<string, Promise<void>>();

/** Text of a file, or null where there is none. `call` names the place that asks. */
export async function read(call: string, path: string): Promise<string | null> {
  const subject = `Cannot read ${JSON.stringify(path)} for ${call}`;
  try {
    return await withDeadline(readText(path), subject);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw failure(subject, error);
  }
}

/** Replaces a file by `text`; when it returns, the text survives a power cut. */
export async function writeDurably(call: string, path: string, text: string): Promise<void> {
  const subject = `Cannot write ${JSON.stringify(path)} for ${call}`;
  const before = pendingByPath.get(path) ?? Promise.resolve();
  const writing = before.catch(ignoreOther).then(() => replace(path, text));
  pendingByPath.set(path, writing);
  // Not when the caller's patience ends: a late write may still put its text there, and must do so first.
  writing.catch(ignoreOther).then(() => {
    if (pendingByPath.get(path) === writing) pendingByPath.delete(path);
  });
  try {
    await withDeadline(writing, subject);
  } catch (error) {
    throw failure(subject, error);
  }
}

/** Names of the files of a folder; none where there is no such folder. */
export async function list(call: string, folder: string): Promise<readonly string[]> {
  const subject = `Cannot list ${JSON.stringify(folder)} for ${call}`;
  try {
    return await withDeadline(readNames(folder), subject);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw failure(subject, error);
  }
}

/** Removes a file for good; one that is not there is no error. */
export async function remove(call: string, path: string): Promise<void> {
  const subject = `Cannot remove ${JSON.stringify(path)} for ${call}`;
  try {
    await withDeadline(Deno.remove(path), subject);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw failure(subject, error);
  }
}

async function readNames(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) if (entry.isFile) names.push(entry.name);
  return names;
}

async function readText(path: string): Promise<string> {
  const { size } = await Deno.stat(path);
  if (size > FILE_BYTES_MAX) {
    throw new RangeError(`it has ${size} bytes, the most is ${FILE_BYTES_MAX}`);
  }
  return await Deno.readTextFile(path);
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  {
    using file = await Deno.open(temporary, {
      write: true,
      create: true,
      truncate: true,
      mode: PRIVATE_MODE,
    });
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) {
      done += await file.write(bytes.subarray(done));
    }
    await file.sync();
  }
  await Deno.rename(temporary, path);
  using folder = await Deno.open(folderOf(path));
  await folder.sync();
}

function folderOf(path: string): string {
  return path.replace(/[^/]*$/, "") || ".";
}

/** The writer of the earlier text was told about its failure; the later text still has its turn. */
function ignoreOther(): void {}

async function withDeadline<T>(work: Promise<T>, subject: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${subject}: the disk did not answer within ${DISK_MS_MAX} ms`));
    }, DISK_MS_MAX);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function failure(subject: string, cause: unknown): Error {
  const because = messageOf(cause);
  return because.startsWith(subject)
    ? cause as Error
    : new Error(`${subject}: ${because}`, { cause });
}
