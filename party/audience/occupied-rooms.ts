/**
 * The rooms that have sockets, by name, of those that this isolate runs; also while they sleep. On one machine that is
 * all of them, so that a server which ends can ask their clients to come back.
 */
export const occupiedRooms = new Set<string>();
