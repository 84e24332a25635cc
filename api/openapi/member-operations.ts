/** What is said of a room's members, its invites and its owner. */

import type { ZodOpenApiPathsObject } from "zod-openapi";
import { HandoverFields, InviteFields, JoinFields } from "../schemas/invites.ts";
import { MemberListQuery, NewMember } from "../schemas/members.ts";
import * as answers from "./answers/members.ts";
import { byMember, byOwner, inRoom, json, ofInvite, ofSender, takes } from "./operation.ts";
import { refusals, refusedAtTheDoor } from "./refusals.ts";

const { invalid, conflict, tooLarge, rateLimited } = refusals;

export const memberPaths: ZodOpenApiPathsObject = {
  "/api/rooms/{id}/members": {
    get: {
      operationId: "listMembers",
      tags: ["rooms"],
      summary: "Who is a member here",
      description: "For the owner and moderators. The owner is not in the list.",
      ...byMember,
      requestParams: { ...inRoom, query: MemberListQuery },
      responses: {
        200: { description: "A page, in the order of the names.", content: json(answers.MemberList) },
        ...refusedAtTheDoor,
        ...invalid,
      },
    },
  },
  "/api/rooms/{id}/members/{sender}": {
    get: {
      operationId: "getMember",
      tags: ["rooms"],
      summary: "What somebody is here",
      description: "For the owner and moderators, and for members who ask about themselves.",
      ...byMember,
      requestParams: ofSender,
      responses: {
        200: { description: "The member.", content: json(answers.Member) },
        ...refusedAtTheDoor,
        ...invalid,
      },
    },
    put: {
      operationId: "putMember",
      tags: ["rooms"],
      summary: "Makes somebody a member, or another one",
      description:
        "For the owner and moderators; only the owner makes and unmakes moderators. A person's agents have the person's role, and at most `member`. A guest becomes a member by an invite. Live connections of who becomes somebody else are closed with 4408, and come back as that.",
      ...byMember,
      requestParams: ofSender,
      ...takes(NewMember),
      responses: {
        200: { description: "The member.", content: json(answers.Member) },
        ...refusedAtTheDoor,
        ...invalid,
        ...conflict,
        ...tooLarge,
        ...rateLimited,
      },
    },
    delete: {
      operationId: "removeMember",
      tags: ["rooms"],
      summary: "Removes a member, or leaves",
      description:
        "For the owner and moderators; with your own name you leave. In a members' room their connections end at once, with 4403.",
      ...byMember,
      requestParams: ofSender,
      responses: {
        204: { description: "Not a member." },
        ...refusedAtTheDoor,
        ...invalid,
        ...conflict,
      },
    },
  },
  "/api/rooms/{id}/invites": {
    get: {
      operationId: "listInvites",
      tags: ["rooms"],
      summary: "The room's invites",
      description: "For the owner and moderators. Those that were revoked are not in it.",
      ...byMember,
      requestParams: inRoom,
      responses: {
        200: { description: "All of them, oldest first.", content: json(answers.InviteList) },
        ...refusedAtTheDoor,
      },
    },
    post: {
      operationId: "createInvite",
      tags: ["rooms"],
      summary: "A new invite, whose secret is shown this once",
      description: "For the owner and moderators; only the owner invites moderators. A room has at most 1,000.",
      ...byMember,
      requestParams: inRoom,
      ...takes(InviteFields, false),
      responses: {
        201: { description: "The invite.", content: json(answers.NewInvite) },
        ...refusedAtTheDoor,
        ...invalid,
        ...conflict,
        ...tooLarge,
        ...rateLimited,
      },
    },
  },
  "/api/rooms/{id}/invites/{invite}": {
    delete: {
      operationId: "revokeInvite",
      tags: ["rooms"],
      summary: "Revokes an invite",
      description: "Nobody uses it any more. People who came by it stay members; guests who did are none any more.",
      ...byMember,
      requestParams: ofInvite,
      responses: {
        204: { description: "Revoked." },
        ...refusedAtTheDoor,
      },
    },
  },
  "/api/rooms/{id}/join": {
    post: {
      operationId: "join",
      tags: ["rooms"],
      summary: "Makes you a member, by an invite",
      description:
        "With a key, for good; as a guest for as long as the invite lives. Who has used it as a guest and has a key now says `guest`, too, and takes the place of that guest. Asked again it is answered the same, and counted once. `forbidden`: the invite is of another room, was revoked or has expired, or you were removed since. `conflict`: it is used up, or the room is full.",
      ...byMember,
      requestParams: inRoom,
      ...takes(JoinFields),
      responses: {
        200: { description: "What you are in the room.", content: json(answers.Member) },
        ...refusedAtTheDoor,
        ...invalid,
        ...conflict,
        ...tooLarge,
        ...rateLimited,
      },
    },
  },
  "/api/rooms/{id}/owner": {
    post: {
      operationId: "handOver",
      tags: ["rooms"],
      summary: "Hands the room to a member",
      description: "The owner's, who becomes a moderator. Asked again by them it is answered the same.",
      ...byOwner,
      requestParams: inRoom,
      ...takes(HandoverFields),
      responses: {
        200: { description: "Whose it is now.", content: json(answers.Owner) },
        ...refusedAtTheDoor,
        ...invalid,
        ...conflict,
        ...tooLarge,
      },
    },
  },
};
