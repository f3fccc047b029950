/** A message of node:http as a stream of the web, read on demand, so that a refused body is not read. */
import type { IncomingMessage } from "node:http";

/** `onCancel` is called when the reader wants no more. */
export function streamOf(
  incoming: IncomingMessage,
  onCancel: () => void,
): ReadableStream<Uint8Array> {
  let over = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      function end(finish: () => void): void {
        // More events may follow an end; a finished stream would throw at them.
        if (over) return;
        over = true;
        finish();
      }
      incoming.pause();
      incoming.on("data", (bytes: Uint8Array) => {
        if (over) return;
        controller.enqueue(bytes);
        incoming.pause();
      });
      incoming.on("end", () => end(() => controller.close()));
      incoming.on("error", (error) => end(() => controller.error(error)));
      incoming.on(
        "close",
        () => end(() => controller.error(new Error("the connection broke off"))),
      );
    },
    pull: () => void incoming.resume(),
    cancel() {
      over = true;
      onCancel();
    },
  }, { highWaterMark: 0 });
}
