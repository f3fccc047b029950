/** Counts what runs at the same time, in all and by key. Full means no, never wait. */
export interface Slots {
  /** Takes a place and returns how to give it back, or null when there is none. */
  take(key: string): (() => void) | null;
}

export interface SlotLimits {
  readonly max: number;
  readonly perKeyMax: number;
}

/** Places for `max` in all and `perKeyMax` of one key. */
export function createSlots({ max, perKeyMax }: SlotLimits): Slots {
  const takenByKey = new Map<string, number>();
  let taken = 0;
  function take(key: string): (() => void) | null {
    const takenHere = takenByKey.get(key) ?? 0;
    if (taken >= max || takenHere >= perKeyMax) return null;
    taken++;
    takenByKey.set(key, takenHere + 1);
    let held = true;
    return function release() {
      if (!held) return;
      held = false;
      taken--;
      const left = (takenByKey.get(key) ?? 1) - 1;
      if (left === 0) takenByKey.delete(key);
      else takenByKey.set(key, left);
    };
  }
  return { take };
}
