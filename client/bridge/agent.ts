/** What a bridge needs of the agent behind it, whichever way it is spoken to. */

/** What an agent asks its person before it does something. */
export interface PermissionRequest {
  /** What it wants to do, in its own words. */
  readonly title: string;
  readonly options: readonly PermissionOption[];
}

export interface PermissionOption {
  readonly id: string;
  readonly label: string;
  /** Whether it says no. */
  readonly denies: boolean;
}

/** Hears an answer while it is made. */
export interface AnswerListener {
  /** A piece of the answer. */
  onText(piece: string): void;
  /** What the agent does meanwhile, such as "Run the tests". */
  onActivity(title: string): void;
  /** The id of the option that was chosen; `undefined`: nobody chose, and it may not. */
  onPermission(request: PermissionRequest, signal: AbortSignal): Promise<string | undefined>;
}

export interface Agent {
  /** What it is called in words for people: the command. */
  readonly name: string;
  /** Whether its next answer begins without what was said to it before. */
  readonly isNew: boolean;
  /**
   * Sees to it that it can be asked.
   *
   * @throws AgentFailure
   */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Asks it. When the signal is aborted it is told to stop, and this resolves once it has.
   *
   * @throws AgentFailure, when it ends, breaks the protocol, or says that it can't answer.
   */
  answer(prompt: string, listener: AnswerListener, signal: AbortSignal): Promise<void>;
  /** Forgets what was said to it. */
  renew(): Promise<void>;
  /** Ends it, and all that it has started. */
  close(): Promise<void>;
}

/** More about a failure. */
export interface AgentFailureDetails {
  /** What it said itself: for the person who runs the bridge, and not for the room. */
  readonly details?: string | undefined;
  /** Its program is not there: a matter of this machine. */
  readonly isMissing?: boolean | undefined;
}

/** The agent does not do what it is there for. The message is a sentence, for the room, too. */
export class AgentFailure extends Error {
  override readonly name = "AgentFailure";
  readonly details: string;
  readonly isMissing: boolean;

  constructor(message: string, { details = "", isMissing = false }: AgentFailureDetails = {}) {
    super(message);
    this.details = details;
    this.isMissing = isMissing;
  }
}
