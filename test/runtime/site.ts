/** A site as its owner has registered it, and its users, who come with its tokens. */

import { SiteSigner } from "../site-signer.ts";
import { expectStatus, type Line, makeRoom, Visitor } from "./visitor.ts";

let sites = 0;

/** A name that no other test has. */
export const newSiteName = (): string => `site-${Date.now().toString(36)}-${++sites}`;

export class TestSite {
  readonly owner: Visitor;
  readonly signer: SiteSigner;

  private constructor(owner: Visitor, signer: SiteSigner) {
    this.owner = owner;
    this.signer = signer;
  }

  static async register(owner?: Visitor, origins: readonly string[] = []): Promise<TestSite> {
    const site = await TestSite.unregistered(owner ?? (await Visitor.withKey()));
    await expectStatus(await site.put({ keys: [site.signer.jwk], origins }), 201);
    return site;
  }

  /** A site that its owner has still to register. */
  static async unregistered(owner: Visitor): Promise<TestSite> {
    return new TestSite(owner, await SiteSigner.of(newSiteName()));
  }

  get name(): string {
    return this.signer.name;
  }

  get path(): string {
    return `/api/sites/${this.name}`;
  }

  put(body: unknown = { keys: [this.signer.jwk], origins: [] }, who = this.owner): Promise<Response> {
    return who.send("PUT", this.path, body);
  }

  /** A room of the site's owner. */
  room(settings: Record<string, unknown> = {}): Promise<string> {
    return makeRoom(this.owner, settings);
  }

  /** Says hello in `room` as its user `subject`, from an address of their own; the answer is for the caller to read. */
  async hello(room: string, subject: string, claims: Readonly<Record<string, unknown>> = {}): Promise<Line> {
    const line = await new Visitor().connect(room);
    line.send({ type: "hello", token: await this.signer.token(subject, claims) });
    return line;
  }

  /** The same, let in. */
  async enter(room: string, subject: string, claims: Readonly<Record<string, unknown>> = {}): Promise<Line> {
    const line = await this.hello(room, subject, claims);
    await line.next("you");
    return line;
  }

  /** The header with which its user calls over HTTP. */
  async authorization(subject: string, claims: Readonly<Record<string, unknown>> = {}) {
    return { authorization: `Bearer ${await this.signer.token(subject, claims)}` };
  }
}
