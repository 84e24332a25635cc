/** What a person needs who takes part: the buttons of messages, and who is here. They come together, after the field. */

import "./message-tools/message-tools.ts";
import "./people/people.ts";
