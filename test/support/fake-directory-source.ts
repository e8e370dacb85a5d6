/** A directory source that does as it is told. */

import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import { DirectoryError, type DirectoryRecord, type DirectorySource } from "../../src/directories/directory-source.js";

export class FakeDirectorySource implements DirectorySource {
  records: DirectoryRecord[];
  /** Of readings of the whole. */
  pageSize = 1;
  /** The page that is not to be had. */
  failingPage: number | undefined;
  /** Single questions fail. */
  failing = false;
  /** Called before each page and each single question; what it returns is waited for. */
  before: (what: string, signal: AbortSignal) => unknown = () => undefined;
  readonly asked: string[] = [];
  closed = 0;

  constructor(records: DirectoryRecord[] = []) {
    this.records = records;
  }

  async *readAll(signal: AbortSignal): AsyncGenerator<readonly DirectoryRecord[]> {
    this.asked.push("all");
    const { records } = this;
    for (let page = 0; page * this.pageSize <= records.length; page++) {
      await this.before(`page ${page}`, signal);
      if (page === this.failingPage) throw new DirectoryError("ECONNREFUSED", `page ${page} was refused`);
      yield records.slice(page * this.pageSize, (page + 1) * this.pageSize);
    }
  }

  async readOne(address: MailboxAddress, signal: AbortSignal): Promise<DirectoryRecord | undefined> {
    await this.#ask(`one ${address}`, signal);
    return this.records.find(({ addresses }) => addresses.includes(address));
  }

  async readMembers(group: MailboxAddress, limit: number, signal: AbortSignal) {
    await this.#ask(`members ${group} ${limit}`, signal);
    const found = this.records.find(({ kind, addresses }) => kind === "group" && addresses.includes(group));
    if (found === undefined) return undefined;
    return {
      addresses: this.records.flatMap(({ kind, addresses: [first] }) => (kind === "group" ? [] : first)),
      without: 1,
    };
  }

  async close(): Promise<void> {
    this.closed++;
  }

  /** How often something was asked; "all" are readings of the whole. */
  count(what: string): number {
    return this.asked.filter((one) => one.startsWith(what)).length;
  }

  async #ask(what: string, signal: AbortSignal): Promise<void> {
    this.asked.push(what);
    await this.before(what, signal);
    if (this.failing) throw new DirectoryError("ECONNREFUSED", "refused");
  }
}

/** Something to be waited for, until it is opened. */
export function gate() {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
