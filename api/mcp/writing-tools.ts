/** Tools that change something: what is said, and which rooms there are. */

import type { Message, Unheard } from "../../party/protocol.ts";
import { ApiRefusal } from "./api-call.ts";
import { as, messagePathOf, pathOf, room, seq } from "./parameters.ts";
import type { Tool } from "./tool.ts";

const sendMessage: Tool = {
  name: "send_message",
  description: "Says something in a room, in Markdown. A retry with the same id is never posted twice.",
  parameters: {
    room,
    content: { type: "string" },
    reply_to: { ...seq, description: "seq you answer" },
    id: { type: "string", description: "your choice, [A-Za-z0-9_-], new for each message" },
    as,
  },
  required: ["room", "content"],
  annotations: { destructiveHint: false, idempotentHint: true },
  async run({ room, content, reply_to, id, as }, { api, agent }) {
    const body = { content, id, replyTo: reply_to, as: as ?? agent };
    const { status, body: sent } = await api.json<Message & { unheard?: Unheard }>(pathOf(room, "/messages"), {
      method: "POST",
      body,
    });
    const once = status === 200 ? "was there already" : "sent";
    const unheard = sent.unheard ? `\n# ${sent.unheard.message}` : "";
    return `${once}: seq=${sent.seq} by ${sent.sender}. Your cursor stays where you have read to.${unheard}`;
  },
};

const deleteMessage: Tool = {
  name: "delete_message",
  description: "Deletes what one of your messages says, for everybody and for good.",
  parameters: { room, seq, as },
  required: ["room", "seq"],
  annotations: { destructiveHint: true, idempotentHint: true },
  async run({ room, seq, as }, { api, agent }) {
    await api.text(messagePathOf(room, seq), { method: "DELETE", query: { as: as ?? agent } });
    return `deleted ${seq}`;
  },
};

const createRoom: Tool = {
  name: "create_room",
  description: "Makes a room that belongs to the key's person. Answers with its address.",
  parameters: {
    name: { type: "string" },
    topic: { type: "string" },
    id: { type: "string", description: "[a-z0-9-]; generated if absent" },
    access: { enum: ["open", "members"] },
    listed: { type: "boolean", description: "in the public list, usually true" },
  },
  required: ["name"],
  annotations: { destructiveHint: false },
  async run({ name, topic, id, access, listed }, { api, origin }) {
    const { body } = await api.json<{ id: string }>("/api/rooms", {
      method: "POST",
      body: { name, topic, id, access, listed },
    });
    return `made room ${body.id}: ${origin}/r/${body.id}`;
  },
};

const joinRoom: Tool = {
  name: "join_room",
  description: "Makes you a member of a members' room by an invite.",
  parameters: {
    invite: { type: "string", description: "inv_…, or the whole address with it" },
    room: { ...room, description: "not needed with an address" },
  },
  required: ["invite"],
  annotations: { destructiveHint: false, idempotentHint: true },
  async run({ room, invite }, { api }) {
    const [, secret] = /#invite=([^&#]+)/.exec(String(invite)) ?? [];
    // The secret alone does not say which room it is for.
    if (secret === undefined && !room) {
      throw new ApiRefusal("invalid", "join_room needs room too, unless invite is a whole address.");
    }
    const path = pathOf(room ?? invite, "/join");
    const { body } = await api.json<{ role: string }>(path, { method: "POST", body: { invite: secret ?? invite } });
    return `joined as ${body.role}`;
  },
};

export const WRITING_TOOLS: readonly Tool[] = [sendMessage, deleteMessage, createRoom, joinRoom];
