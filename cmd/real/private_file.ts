/** Files that commands leave for an agent: nobody else can read them, and they are there whole or not. */
import { CommandError } from "../exit.ts";

const privateMode = 0o600;
const folderMode = 0o755;

/** Writes a new file, or replaces what is there when told so. Its folder is made where it is missing. */
export async function writePrivate(
  path: string,
  text: string,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  const folder = path.replace(/[^/]*$/, "") || "./";
  try {
    await Deno.mkdir(folder, { recursive: true, mode: folderMode });
    const temporary = `${folder}.xenon-${crypto.randomUUID()}`;
    try {
      await writeSynced(temporary, text);
      // A link fails where something is there already, a rename replaces it; both are atomic.
      await (replace ? Deno.rename(temporary, path) : Deno.link(temporary, path));
    } finally {
      await Deno.remove(temporary).catch(() => "A rename has taken it away");
    }
    using opened = await Deno.open(folder);
    await opened.sync();
  } catch (error) {
    throw failureOf(path, error);
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: privateMode });
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  await file.sync();
}

function failureOf(path: string, cause: unknown): CommandError {
  if (cause instanceof Deno.errors.AlreadyExists) {
    const next = "look at it first, then overwrite it with --force";
    return new CommandError(`Cannot write "${path}" as it exists already`, { next });
  }
  const next = "run as a user who may write there, or name another file";
  return new CommandError(`Cannot write "${path}"`, { next, cause });
}
