/**
 * Decides where one LDAP message ends and the next begins, and whether it is one (RFC 4511, 4.1.1 and 4.5.2; BER with
 * definite lengths). ldapts is handed whole messages only, because within one whose parts do not fit into each other it
 * may go on reading for ever, at the cost of the whole process.
 */

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const SET = 0x31;
const CONTROLS = 0xa0;
const SEARCH_RESULT_ENTRY = 0x64;
const SEARCH_RESULT_REFERENCE = 0x73;

/** No entry asked for comes near: a group's members come some thousands at a time. */
const MOST_BYTES = 32 * 1024 * 1024;
const INTEGER_BYTES = 4;
const LENGTH_BYTES = 4;

/** What has come is no LDAP message. Its words are for tests. */
export class NotLdap extends Error {}

export class LdapMessages {
  #held: Buffer[] = [];
  #heldBytes = 0;
  #neededBytes = 2;

  /** The messages that are whole now, in their order. Throws {@link NotLdap}; nothing can follow then. */
  *whole(piece: Buffer): Generator<Buffer> {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    while (this.#heldBytes >= this.#neededBytes) {
      const bytes = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held, this.#heldBytes);
      const ends = elementAt(bytes, 0)?.end;
      this.#keep(bytes, ends ?? this.#heldBytes + 1);
      if (bytes[0] !== SEQUENCE || this.#neededBytes > MOST_BYTES) throw new NotLdap("this is no LDAP message");
      if (ends === undefined || ends > bytes.length) return;
      const message = bytes.subarray(0, ends);
      check(message);
      this.#keep(bytes.subarray(ends), 2);
      yield message;
    }
  }

  #keep(bytes: Buffer, neededBytes: number): void {
    this.#held = [bytes];
    this.#heldBytes = bytes.length;
    this.#neededBytes = neededBytes;
  }
}

function check(bytes: Buffer): void {
  const message = new Parts(bytes, 0, bytes.length).next(SEQUENCE);
  const id = message.next(INTEGER);
  if (id.bytes < 1 || id.bytes > INTEGER_BYTES) throw new NotLdap("a message's number has no such size");
  const operation = message.next();
  if (operation.tag === SEARCH_RESULT_ENTRY) checkEntry(operation);
  else if (operation.tag === SEARCH_RESULT_REFERENCE) operation.all(OCTET_STRING);
  // ldapts takes what looks like controls for controls wherever it meets them.
  else
    for (const part of operation.each()) if (part.tag === CONTROLS) throw new NotLdap("controls within an operation");
  if (!message.done) for (const control of message.next(CONTROLS).each(SEQUENCE)) checkControl(control);
  message.end();
}

function checkEntry(entry: Parts): void {
  entry.next(OCTET_STRING);
  for (const attribute of entry.next(SEQUENCE).each(SEQUENCE)) {
    attribute.next(OCTET_STRING);
    attribute.next(SET).all(OCTET_STRING);
    attribute.end();
  }
  entry.end();
}

function checkControl(control: Parts): void {
  control.next(OCTET_STRING);
  control.all();
}

/** The elements within an element, read one after the other; each must fit. */
class Parts {
  readonly tag: number;
  readonly bytes: number;
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor(buffer: Buffer, at: number, end: number, tag = 0) {
    this.#buffer = buffer;
    this.#at = at;
    this.#end = end;
    this.bytes = end - at;
    this.tag = tag;
  }

  get done(): boolean {
    return this.#at === this.#end;
  }

  next(expected?: number): Parts {
    const tag = this.#buffer[this.#at] as number;
    const element = this.done ? undefined : elementAt(this.#buffer, this.#at);
    if (element === undefined || element.end > this.#end)
      throw new NotLdap("an element does not fit into the one it is in");
    if (expected !== undefined && tag !== expected) throw new NotLdap("an element is not where it belongs");
    this.#at = element.end;
    return new Parts(this.#buffer, element.content, element.end, tag);
  }

  *each(expected?: number): Generator<Parts> {
    while (!this.done) yield this.next(expected);
  }

  all(expected?: number): void {
    while (!this.done) this.next(expected);
  }

  end(): void {
    if (!this.done) throw new NotLdap("more elements than belong here");
  }
}

/** Where an element's content begins and ends; undefined when its length is not there yet. Throws for a length that LDAP does not allow. */
function elementAt(buffer: Buffer, at: number): { readonly content: number; readonly end: number } | undefined {
  const first = buffer[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return { content: at + 2, end: at + 2 + first };
  const more = first & 0x7f;
  if (more === 0 || more > LENGTH_BYTES) throw new NotLdap("a length that LDAP does not allow");
  const content = at + 2 + more;
  return content > buffer.length ? undefined : { content, end: content + buffer.readUIntBE(at + 2, more) };
}
