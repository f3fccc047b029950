/**
 * The protocol: one pure function from (config, state, event) to (state, effects). It decides who
 * leads, who may vote and when a server must be closed. It refuses to know MySQL, clocks, sockets,
 * disks and dice: those are somebody else's, and come in as events or go out as effects.
 */
export * from "./types.ts";
export * from "./message.ts";
export * from "./event.ts";
export * from "./effect.ts";
export * from "./state.ts";
export { nextDeadline, start, step } from "./step.ts";
export { describe } from "./describe.ts";
export * from "./quorum.ts";
export { InvariantError } from "./invariant.ts";
