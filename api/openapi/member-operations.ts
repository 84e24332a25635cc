/** What is said of a room's members. */

import type { ZodOpenApiPathsObject } from "zod-openapi";
import { MemberListQuery, NewMember } from "../schemas/members.ts";
import * as answers from "./answers.ts";
import { byMember, inRoom, json, ofSender, takes } from "./operation.ts";
import { refusals } from "./refusals.ts";

const { invalid, unauthorized, forbidden, notFound, conflict, tooLarge, rateLimited, unavailable } = refusals;

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
        ...invalid,
        ...unauthorized,
        ...forbidden,
        ...notFound,
        ...unavailable,
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
        ...invalid,
        ...unauthorized,
        ...forbidden,
        ...notFound,
        ...unavailable,
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
        ...invalid,
        ...unauthorized,
        ...forbidden,
        ...notFound,
        ...conflict,
        ...tooLarge,
        ...rateLimited,
        ...unavailable,
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
        ...invalid,
        ...unauthorized,
        ...forbidden,
        ...notFound,
        ...conflict,
        ...unavailable,
      },
    },
  },
};
