/** The protocol as the simulator drives it; planted bugs wrap one of these functions. */
import { describeEffect, describeEvent, describeState } from "../../raft/describe.ts";
import type { Effect } from "../../raft/effect.ts";
import type { Event } from "../../raft/event.ts";
import type { State } from "../../raft/state.ts";
import { nextDeadline, start, step } from "../../raft/step.ts";
import type { Config, Durable, Millis } from "../../raft/types.ts";

type Stepped = readonly [State, readonly Effect[]];

export interface Core {
  readonly start: (
    config: Config,
    durable: Durable,
    from: { readonly at: Millis; readonly seed: number },
  ) => Stepped;
  readonly step: (config: Config, state: State, event: Event) => Stepped;
  readonly nextDeadline: (config: Config, state: State) => Millis;
  readonly describeState: (config: Config, state: State) => string;
  readonly describeEvent: (event: Event) => string;
  readonly describeEffect: (effect: Effect) => string;
}

export const realCore: Core = {
  start,
  step,
  nextDeadline,
  describeState,
  describeEvent,
  describeEffect,
};
