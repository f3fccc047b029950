/**
 * Where the config is: what the operator says on the command line wins, then the environment, then
 * a file named config.path that holds the config's path, then the packaged place.
 */
import { CommandError } from "./exit.ts";
import type { FoundConfig, World } from "./ports.ts";

/** The packaged place of the config. */
export const packagedConfig = "/etc/xenon/xenon.toml";

const pointerName = "config.path";

/** Finds and reads the config, or throws an error that lists every place looked at. */
export async function findConfig(world: World, flag: string | undefined): Promise<FoundConfig> {
  const named = flag ?? (world.env("XENON_CONFIG") || undefined);
  if (named !== undefined) {
    const by = flag === undefined ? "XENON_CONFIG" : "--config";
    return await readNamed(world, resolvePath(world.workingFolder, named), by);
  }
  const folders = [world.workingFolder, folderOf(world.executable)];
  const pointers = folders.filter((folder) => folder !== "").map((folder) =>
    resolvePath(folder, pointerName)
  );
  const looked: string[] = [];
  for (const pointer of new Set(pointers)) {
    const target = (await read(world, pointer))?.trim();
    if (target === undefined) {
      looked.push(pointer);
      continue;
    }
    if (target === "") {
      throw new CommandError(`Cannot find the config as "${pointer}" is empty`, {
        next: `write the path of the config into "${pointer}"`,
      });
    }
    return await readNamed(world, resolvePath(folderOf(pointer), target), `"${pointer}"`);
  }
  const text = await read(world, packagedConfig);
  if (text !== undefined) return { path: packagedConfig, text };
  looked.push(packagedConfig);
  const places = looked.map((place) => `"${place}"`).join(", ");
  throw new CommandError(
    `Cannot find the config: --config and XENON_CONFIG are not set, and there is no ${places}`,
    { next: "name it with --config FILE" },
  );
}

async function readNamed(world: World, path: string, by: string): Promise<FoundConfig> {
  const text = await read(world, path);
  if (text !== undefined) return { path, text };
  throw new CommandError(`Cannot read the config as ${by} names "${path}", which does not exist`, {
    next: "correct the path or write the config there",
  });
}

async function read(world: World, path: string): Promise<string | undefined> {
  try {
    return await world.readText(path);
  } catch (error) {
    throw new CommandError(`Cannot read "${path}"`, {
      next: "run as the user who may read it, or name another config with --config FILE",
      cause: error,
    });
  }
}

function resolvePath(folder: string, path: string): string {
  return path.startsWith("/") ? path : `${folder.replace(/\/+$/, "")}/${path}`;
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : "";
}
