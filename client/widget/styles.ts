/** All style sheets of the widget's one shadow root, in the order in which they are to be read. */

import { composerStyles } from "./composer/composer.styles.ts";
import { feedStyles } from "./feed/feed.styles.ts";
import { messageStyles } from "./message/message.styles.ts";
import { peopleStyles } from "./people/people.styles.ts";
import { roomStyles } from "./room/room.styles.ts";

export const styles = [roomStyles, feedStyles, messageStyles, composerStyles, peopleStyles];
