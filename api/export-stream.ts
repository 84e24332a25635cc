/** An export on its way to a reader, who may stop reading, or go. */

import { type LogFields, logEvent } from "../party/operator-log/operator-log.ts";

/** An export that is not read for so long is over, ms: until then it keeps a page in memory. */
export const READ_WITHIN = 60_000;

/**
 * A stream that is asked for more only when what it gave was taken. `ended` is called once: when all was read, when the
 * reader has gone or does not read, or when `text` fails, of which the log is told `about` what.
 */
export function streamOf(
  text: AsyncGenerator<string>,
  ended: () => void,
  about: Pick<LogFields, "room" | "request"> = {},
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let disarm: () => void = () => undefined;
  let isOver = false;
  const end = () => {
    disarm();
    if (isOver) return;
    isOver = true;
    ended();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        disarm();
        try {
          const { value, done } = await text.next();
          if (isOver) return;
          if (done) {
            controller.close();
            end();
            return;
          }
          controller.enqueue(encoder.encode(value));
          const timer = setTimeout(() => {
            controller.error(new Error(`Nobody has read this for ${READ_WITHIN / 1000} s.`));
            end();
            void text.return(undefined);
          }, READ_WITHIN);
          disarm = () => clearTimeout(timer);
        } catch (error) {
          // Without its sum the file is not whole, and the reader sees that the connection broke off.
          logEvent("export.broke_off", { ...about, error });
          controller.error(error);
          end();
        }
      },
      async cancel() {
        end();
        await text.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
