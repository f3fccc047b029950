/** A copy that may begin before anybody follows it, for the methods that offer that. One for each job. */
import type { Copied, CopyControl, CopyStart, CopyWish } from "./copy_method.ts";

/** The copying itself. It begins at once and waits for the donor where it needs it. */
export type Copying = (
  asked: { readonly wish: CopyWish; readonly donorReady: Promise<void> },
  control: CopyControl,
) => Promise<Copied>;

/** Runs one copy: `begin` is optional, `follow` gives its outcome, `end` waits until it is over. */
export class EarlyCopy {
  readonly #copying: Copying;
  readonly #abort = new AbortController();
  #running: Promise<Copied> | null = null;
  #follower: CopyControl | null = null;
  /** What nobody has heard yet. */
  #said: string | null = null;

  constructor(copying: Copying) {
    this.#copying = copying;
  }

  /** See `CopyMethod.begin`. */
  begin(wish: CopyWish, { donorReady, signal }: CopyStart): Promise<Copied> {
    const cancel = () => this.#abort.abort(signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    this.#running = this.#copying({ wish, donorReady }, {
      signal: this.#abort.signal,
      say: (sentence) => this.#say(sentence),
      progress: (progress) => this.#follower?.progress(progress),
    });
    // Whoever follows it hears why it failed; a rebuild that ends before its copy does not care.
    this.#running.catch(() => {});
    return this.#running;
  }

  /** Follows the copy that was begun, or begins it with a donor that is ready. */
  follow(wish: CopyWish, follower: CopyControl): Promise<Copied> {
    this.#follower = follower;
    if (this.#said !== null) follower.say(this.#said);
    const { signal } = follower;
    return this.#running ?? this.begin(wish, { donorReady: Promise.resolve(), signal });
  }

  /** Ends a copy that runs, and waits for what it still cleans up. */
  async end(): Promise<void> {
    this.#abort.abort();
    await this.#running?.catch(() => {});
  }

  #say(sentence: string): void {
    if (this.#follower === null) this.#said = sentence;
    else this.#follower.say(sentence);
  }
}

/** Resolves when the donor is ready; rejects as soon as the copy is not wanted any more. */
export async function untilReady(donorReady: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    await Promise.race([donorReady, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
