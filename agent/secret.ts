/**
 * A password or key that cannot be printed by accident: text, JSON and inspection all show `***`.
 * It is a class, although it is data, because only a private field hides a value from inspection.
 */
const MASK = "***";

/** `reveal` is the only way to the value. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where the value leaves for its purpose, never for a message. */
  reveal(): string {
    return this.#value;
  }

  get empty(): boolean {
    return this.#value === "";
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return MASK;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return MASK;
  }
}
