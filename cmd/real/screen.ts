/** The terminal of a command that shows something as it happens. */
import type { Screen } from "../ports.ts";

/** Without a terminal a line of progress is printed only so often. */
const plainEveryMs = 10_000;
const clearLine = "\r\x1b[K";

/** Prints to standard output until it is disposed of; Ctrl-C only detaches. */
export function openScreen(): Screen {
  const terminal = Deno.stdout.isTerminal();
  const interrupted = Promise.withResolvers<void>();
  let detached = false;
  let shown = "";
  let plainAt = -Infinity;
  const interrupt = () => {
    detached = true;
    interrupted.resolve();
  };
  Deno.addSignalListener("SIGINT", interrupt);
  const clear = () => {
    if (shown !== "") write(clearLine);
    shown = "";
  };
  return {
    line: (text) => {
      clear();
      write(`${text}\n`);
    },
    progress: (text) => {
      if (terminal) {
        clear();
        shown = text ?? "";
        write(shown);
      } else if (text !== null && performance.now() - plainAt >= plainEveryMs) {
        plainAt = performance.now();
        write(`${text}\n`);
      }
    },
    get detached() {
      return detached;
    },
    wait: async (ms) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      await Promise.race([promise, interrupted.promise]);
      clearTimeout(timer);
    },
    [Symbol.dispose]: () => {
      clear();
      Deno.removeSignalListener("SIGINT", interrupt);
    },
  };
}

/** A reader that closed its pipe has seen enough; the job goes on. */
function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
