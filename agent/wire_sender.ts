/** What a joiner asks of the agent of a donor when a copy goes over ssh, and the decoders for it. */
import * as v from "valibot";
import { decodeParams } from "./params.ts";

const wordLengthMax = 255;
const pathLengthMax = 4_096;
const sentenceLengthMax = 4_096;
const parallelMax = 256;

const word = v.pipe(v.string(), v.minLength(1), v.maxLength(wordLengthMax));
const path = v.pipe(v.string(), v.maxLength(pathLengthMax), v.regex(/^\/[^\p{Cc}]*$/u));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sentence = v.pipe(v.string(), v.maxLength(sentenceLengthMax));

/** Where the copy goes: the login, and the folder of xbstream there. */
const destinationSchema = v.object({
  user: word,
  host: word,
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  toolFolder: path,
});

/** `backup.check`. */
const checkSchema = v.object({ destination: destinationSchema });
/** `backup.send`: begins, and answers at once. */
const sendSchema = v.object({
  /** Drawn by the joiner; the later calls name it. */
  id: word,
  destination: destinationSchema,
  target: path,
  parallel: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(parallelMax)),
  throttle: count,
});
/** `backup.sent` and `backup.stop`. A copy that nobody asks about is given up. */
const nameSchema = v.object({ id: word });

/** What speaks against a copy, and the version of the donor's tool, null where it has none. */
const checkedSchema = v.object({
  problems: v.pipe(v.array(sentence), v.readonly()),
  toolVersion: v.nullable(sentence),
});
const sentSchema = v.variant("state", [
  v.object({ state: v.literal("running"), bytes: count }),
  v.object({ state: v.literal("done"), bytes: count }),
  v.object({ state: v.literal("failed"), because: sentence }),
]);

export type Destination = Readonly<v.InferOutput<typeof destinationSchema>>;
export type SendRequest = Readonly<v.InferOutput<typeof sendSchema>>;
export type Checked = Readonly<v.InferOutput<typeof checkedSchema>>;
export type Sent = Readonly<v.InferOutput<typeof sentSchema>>;

export const decodeCheckCall = (params: unknown) => decodeParams(checkSchema, params).destination;
export const decodeSendCall = (params: unknown): SendRequest => decodeParams(sendSchema, params);
export const decodeNameCall = (params: unknown) => decodeParams(nameSchema, params).id;
export const decodeChecked = (value: unknown): Checked => answer(checkedSchema, value);
export const decodeSent = (value: unknown): Sent => answer(sentSchema, value);

function answer<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new Error(`Cannot read the answer of the donor: ${v.summarize(result.issues)}`);
}
