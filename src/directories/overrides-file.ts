/**
 * Decides which list of overrides is in use: that of the file, also after it has changed,
 * without a restart. A file with anything wrong in it changes nothing: the last good list
 * stays, and whoever asks is told what is wrong.
 *
 * Knows neither the file's form nor what an override says.
 */

import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { MailboxAddress } from "../availability/mailbox-address.js";
import { type InstantMs, instant } from "../availability/time-window.js";
import type {
  DirectoryClaim,
  DirectoryObserver,
  DirectoryState,
  MailboxDirectory,
  RecipientKey,
} from "../proxy/mailbox-directory.js";
import { inSlices } from "./in-slices.js";
import { PinnedMailboxes } from "./pinned-mailboxes.js";
import { type OverridesRead, readOverrides } from "./read-overrides.js";

export interface OverridesFileOptions {
  /** As in the configuration. */
  readonly name: string;
  /** Ends in .csv, .yaml or .yml. Best replaced by renaming, so that nobody ever sees half of it. */
  readonly file: string;
  /** What may own a mailbox. */
  readonly backends: readonly string[];
  /** How often the file is looked at. */
  readonly checkMs?: number;
  readonly now?: () => InstantMs;
  readonly observer?: DirectoryObserver;
}

/** A changed file is left to its writer until it has been still for so long. */
const SETTLE_MS = 500;
const LARGEST_BYTES = 64 * 1024 * 1024;
const SHOWN_PROBLEMS = 3;

export class OverridesFile implements MailboxDirectory {
  readonly name: string;
  readonly home = undefined;
  readonly decides = true;
  readonly #options: OverridesFileOptions;
  readonly #checkMs: number;
  readonly #pinned: PinnedMailboxes;
  readonly #ending = new AbortController();
  #problems: readonly string[] = [];
  #problem: string | undefined;
  /** What the file looked like when it was read, and when it was last looked at. */
  #readAs: string | undefined;
  #seenAs: string | undefined;
  /** It could not be read, which may pass while the file looks the same. */
  #unreadable = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OverridesFileOptions) {
    const { name, checkMs = 5000, now = () => instant(Date.now()) } = options;
    this.name = name;
    this.#options = options;
    this.#checkMs = checkMs;
    this.#pinned = new PinnedMailboxes({ name, now });
  }

  /** Resolves after the first reading, good or bad; {@link state} tells which. */
  async start(): Promise<void> {
    this.#seenAs = await this.#look();
    await this.#readUnlessRead();
    this.#checkAgain();
  }

  stop(): void {
    this.#ending.abort();
    clearTimeout(this.#timer);
    this.#pinned.stop();
  }

  find(key: RecipientKey, now: InstantMs): DirectoryClaim | undefined {
    return this.#pinned.find(key, now);
  }

  addressesOf(key: RecipientKey): readonly MailboxAddress[] {
    return this.#pinned.addressesOf(key);
  }

  /** Its problem names the first few; {@link problems} has them all. */
  state(): DirectoryState {
    return { ...this.#pinned.state(), problem: this.#problem };
  }

  /** Everything that is wrong with the file as it was last read, by line. */
  problems(): readonly string[] {
    return this.#problems;
  }

  onChange(listener: (changed: readonly MailboxAddress[] | "all") => void): void {
    this.#pinned.onChange(listener);
  }

  /** Looks rather than waits for events: mounted files are swapped by links, which send none. */
  #checkAgain(): void {
    if (this.#ending.signal.aborted) return;
    const isChanging = this.#seenAs !== this.#readAs;
    this.#timer = setTimeout(() => void this.#check(), isChanging ? Math.min(SETTLE_MS, this.#checkMs) : this.#checkMs);
    this.#timer.unref();
  }

  async #check(): Promise<void> {
    const before = this.#seenAs;
    this.#seenAs = await this.#look();
    if (this.#seenAs === before) await this.#readUnlessRead();
    this.#checkAgain();
  }

  /** Never the same for two contents, short of two changes in one tick of the disk's clock. */
  async #look(): Promise<string> {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(this.#options.file, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  async #readUnlessRead(): Promise<void> {
    if ((this.#seenAs === this.#readAs && !this.#unreadable) || this.#ending.signal.aborted) return;
    this.#readAs = this.#seenAs;
    const begun = performance.now();
    const before = this.#unreadable ? this.#problem : undefined;
    let changed = 0;
    try {
      const read = await this.#read();
      if ("overrides" in read) changed = await this.#pinned.replaceInSlices(read.overrides, this.#ending.signal);
      this.#problems = "problems" in read ? read.problems : [];
      this.#problem = summary(this.#problems, this.#pinned.state().from === "none");
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      throw error;
    }
    if (before !== undefined && this.#problem === before) return;
    this.#options.observer?.directoryRead({
      directory: this.name,
      recipients: this.#pinned.state().recipients,
      changed,
      durationMs: performance.now() - begun,
      problem: this.#problem,
    });
  }

  async #read(): Promise<OverridesRead> {
    const { file, backends, name } = this.#options;
    const { signal } = this.#ending;
    const fileName = basename(file);
    let bytes: Buffer;
    this.#unreadable = false;
    try {
      const { size } = await stat(file);
      if (size > LARGEST_BYTES) {
        return { problems: [`${fileName} has ${size} bytes. Expected at most ${LARGEST_BYTES}.`] };
      }
      bytes = await readFile(file, { signal });
    } catch (error) {
      signal.throwIfAborted();
      const { code } = error as NodeJS.ErrnoException;
      this.#unreadable = true;
      return { problems: [`${file} cannot be read (${code}). Expected a file that this process may read.`] };
    }
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return { problems: [`${fileName} is no text in UTF-8. Save it as UTF-8.`] };
    }
    return inSlices(readOverrides({ fileName, text, backends, directory: name }), signal);
  }
}

function summary(problems: readonly string[], isFirst: boolean): string | undefined {
  const { length } = problems;
  if (length === 0) return undefined;
  const count = length === 1 ? "1 problem" : `${length} problems`;
  const kept = isFirst ? "no override counts" : "the last good list stays";
  const more = length > SHOWN_PROBLEMS ? [`And ${length - SHOWN_PROBLEMS} more.`] : [];
  return [`${count}, so ${kept}.`, ...problems.slice(0, SHOWN_PROBLEMS), ...more].join(" ");
}
