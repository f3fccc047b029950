/** The files of a binary log, seen from outside: the server need not answer for it. */
import { isLaterLog } from "./binary_log_name.ts";

/**
 * The newest file of the log, and how long it is now. The server counts its writes too, in
 * performance_schema, but only where nobody has switched that off, or a part of it.
 *
 * @param base the path of the files without their numbers, as in `log_bin_basename`.
 * @throws {Error} where they are not there, or this process may not look.
 */
export async function newestLogFile(base: string): Promise<string> {
  const slash = base.lastIndexOf("/") + 1;
  const [folder, stem] = [base.slice(0, slash), `${base.slice(slash)}.`];
  let newest = "";
  for await (const { name } of Deno.readDir(folder)) {
    const isLog = name.startsWith(stem) && /^\d+$/.test(name.slice(stem.length));
    if (isLog && isLaterLog(name, newest)) newest = name;
  }
  if (newest === "") throw new Error(`Cannot find the files of the binary log ${base}`);
  const { size } = await Deno.stat(`${folder}${newest}`);
  return `${newest}:${size}`;
}
