/** What `xenon init` needs of this host: somebody to ask, its addresses, and chance. */
import { readAddresses } from "../../agent/vip_commands.ts";
import { describeResult, run, succeeded } from "../../mysql/process.ts";
import { CommandError } from "../exit.ts";
import type { Setup } from "../ports.ts";

const ipMs = 5_000;
const answerBytesMax = 1_024;
const secretBytes = 32;

/** The real one. */
export function openSetup(): Setup {
  return {
    interactive: Deno.stdin.isTerminal(),
    ask,
    addresses,
    newSecret: () => {
      const bytes = crypto.getRandomValues(new Uint8Array(secretBytes));
      return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    },
  };
}

async function ask(question: string): Promise<string> {
  await Deno.stderr.write(new TextEncoder().encode(`${question}: `));
  const buffer = new Uint8Array(answerBytesMax);
  const length = await Deno.stdin.read(buffer);
  if (length !== null) return new TextDecoder().decode(buffer.subarray(0, length)).trim();
  throw new CommandError("Nothing was written: the answer was missing", {
    next: "end every answer with Enter, an empty one too, or give --address, --vip and --repluser",
  });
}

async function addresses() {
  const result = await run(["ip", "-json", "addr", "show"], { deadlineMs: ipMs });
  if (succeeded(result)) {
    return readAddresses(result.stdoutTail).filter(({ address }) => address !== "undefined");
  }
  throw new CommandError(`Cannot list the addresses of this host: ${describeResult(result)}`, {
    next: "install the package iproute2",
  });
}
