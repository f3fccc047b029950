/** The clock of one program, as libfaketime makes it; see faketime(1). */

/** Variables with which a program takes the time of the wall clock from a file. */
export function clockVariables(library: string, file: string): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: "1",
    FAKETIME_DONT_RESET: "1",
    // Only the wall clock jumps on a real host.
    DONT_FAKE_MONOTONIC: "1",
  };
}
