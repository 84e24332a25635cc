/** How an event stream of a room begins, as one who only reads gets it. */

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

/** What is asked for of a room with the history `epoch`. */
export function askedOf(room: string, epoch: string): Pick<Opening, "path" | "lastEventId">[] {
  const path = `/api/rooms/${room}/events`;
  return [
    { path },
    { path: `${path}?after=10&epoch=${epoch}` },
    { path: `${path}?after=10&epoch=another` },
    { path, lastEventId: `${epoch}.11` },
  ];
}

/** An event, as far as it is used: its name, its id and its data, in this order. */
const EVENT = /^event: (.+)\n(?:id: (.+)\n)?data: (.+)\n\n/m;

/** Asks the server at `origin` for a stream, and leaves when its first event has come. */
export async function openingOf(
  origin: string,
  { path, lastEventId }: Pick<Opening, "path" | "lastEventId">,
): Promise<Opening> {
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
