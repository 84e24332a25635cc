/**
 * How an event stream of a room begins, as one who only reads gets it. Those of version 0.1.0 were written down from the
 * server of its own tree, started from test/states/0.1.0.json:
 *
 *     node test/recorded/events.ts http://localhost:8787 > test/recorded/0.1.0/events.ndjson
 */

/** What is asked for, and how the stream begins that is the answer. */
export interface Opening {
  readonly path: string;
  /** With which a browser resumes. */
  readonly lastEventId?: string;
  readonly type: string | null;
  readonly event: string;
  readonly id: string | undefined;
  readonly data: unknown;
}

const EPOCH = "9uQ97Ak9FE";
const DEN = "/api/rooms/den/events";
const ASKED: readonly Pick<Opening, "path" | "lastEventId">[] = [
  { path: DEN },
  { path: `${DEN}?after=20&epoch=${EPOCH}` },
  { path: `${DEN}?after=20&epoch=another` },
  { path: DEN, lastEventId: `${EPOCH}.21` },
];

/** An event, as far as it is used: its name, its id and its data, in this order. */
const EVENT = /^event: (.+)\n(?:id: (.+)\n)?data: (.+)\n\n/m;

/** Asks the server at `origin` for a stream, and leaves when its first event has come. */
export async function openingOf(origin: string, { path, lastEventId }: (typeof ASKED)[number]): Promise<Opening> {
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const response = await fetch(origin + path, { headers });
  const type = response.headers.get("content-type");
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body as ReadableStream<Uint8Array>) {
    text += decoder.decode(piece, { stream: true });
    const [, event, id, data] = EVENT.exec(text) ?? [];
    if (event === undefined || data === undefined) continue;
    return { path, ...(lastEventId !== undefined && { lastEventId }), type, event, id, data: JSON.parse(data) };
  }
  throw new Error(`The stream ${path} has ended before its first event: ${text}`);
}

const [origin] = process.argv.slice(2);
if (import.meta.main && origin) for (const asked of ASKED) console.log(JSON.stringify(await openingOf(origin, asked)));
