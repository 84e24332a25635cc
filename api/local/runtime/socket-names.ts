/** What the runtime's sockets are called: the one for everybody, and the one for the server's own process. */

export const DOOR = "door";
export const CONTROL = "control";
