/**
 * The only reader of the command line and the only caller of exit. Everything that a quick command
 * does not need is loaded by the command that needs it.
 */
import { type Outcome, run } from "./cmd/mod.ts";
import { createWorld } from "./cmd/real/world.ts";
import manifest from "./deno.json" with { type: "json" };

async function main(): Promise<number> {
  const outcome = await run(Deno.args, {
    world: createWorld(manifest.version),
    programs: {
      openCluster: async (found) => (await import("./cmd/real/cluster.ts")).openCluster(found),
      runAgent: async (found, world) =>
        await (await import("./cmd/agent.ts")).runAgent(found, world),
      takeStacks: async (found) => (await import("./cmd/real/stacks.ts")).takeServerStacks(found),
      checkFiles: async (found) => (await import("./cmd/real/check_files.ts")).checkFiles(found),
      writePrivate: async (path, text, how) =>
        await (await import("./cmd/real/private_file.ts")).writePrivate(path, text, how),
      openScreen: async () => (await import("./cmd/real/screen.ts")).openScreen(),
      openSetup: async () => (await import("./cmd/real/setup.ts")).openSetup(),
      runDemo: async (options, world) =>
        await (await import("./cmd/demo.ts")).runDemo(options, world),
    },
  });
  print(outcome);
  return outcome.code;
}

/** Writes both texts to their end. A reader that closed its pipe has seen enough. */
function print({ stdout, stderr }: Outcome): void {
  const encoder = new TextEncoder();
  for (const [stream, text] of [[Deno.stdout, stdout], [Deno.stderr, stderr]] as const) {
    const bytes = encoder.encode(text);
    try {
      for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }
}

Deno.exit(await main());
