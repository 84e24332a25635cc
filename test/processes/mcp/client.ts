/** The protocol's official client, of either era, as an agent's harness has it: over real HTTP, with a header. */

import { type CallToolResult, Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** `modern`: 2026-07-28; `legacy`: what begins with `initialize`. */
export type Era = "modern" | "legacy";
export const ERAS: readonly Era[] = ["modern", "legacy"];

export interface Answer {
  readonly text: string;
  readonly isError: boolean;
}

export class McpClient {
  readonly client: Client;

  private constructor(client: Client) {
    this.client = client;
  }

  /** A client of the server at `url`, with `authorization` as its user has configured it. */
  static async connect(
    era: Era,
    url: string,
    { authorization, as }: { authorization?: string | undefined; as?: string } = {},
  ): Promise<McpClient> {
    const mode = era === "legacy" ? ("legacy" as const) : { pin: "2026-07-28" };
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const address = new URL(as === undefined ? "/mcp" : `/mcp?as=${as}`, url);
    await client.connect(new StreamableHTTPClientTransport(address, { requestInit: { headers } }));
    return new McpClient(client);
  }

  async call(
    name: string,
    args: Record<string, unknown>,
    options: { onprogress?: () => void; timeout?: number } = {},
  ): Promise<Answer> {
    const result = (await this.client.callTool({ name, arguments: args }, options)) as CallToolResult;
    // A client that is given both shows its model only one of them.
    if (result.structuredContent !== undefined) throw new Error("The answer is structured, too.");
    const [first, ...more] = result.content;
    if (first?.type !== "text" || more.length > 0) throw new Error("The answer is not one text.");
    return { text: first.text, isError: result.isError === true };
  }

  /** The text of an answer that must be none of an error. */
  async text(name: string, args: Record<string, unknown>, options: { timeout?: number } = {}): Promise<string> {
    const { text, isError } = await this.call(name, args, options);
    if (isError) throw new Error(text);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}
