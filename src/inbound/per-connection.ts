/**
 * Decides where things that are true of one connection are kept: on the connection itself, so
 * that they go when it goes and are found again in no time, on every request.
 */

/** Something about connections: at most one value each. */
export class PerConnection<Value> {
  /** Nobody else can find it, nor is it seen when the object is listed. */
  readonly #mark = Symbol("per connection");

  get(connection: object): Value | undefined {
    return (connection as { [mark: symbol]: Value | undefined })[this.#mark];
  }

  set(connection: object, value: Value | undefined): void {
    (connection as { [mark: symbol]: Value | undefined })[this.#mark] = value;
  }
}

/** Whether a connection brings the very header it brought before, and what is known of whoever does. */
export class LastHeader<Known> {
  readonly #last = new PerConnection<{ readonly header: string; readonly known: Known }>();

  known(connection: object, header: string): Known | undefined {
    const last = this.#last.get(connection);
    return last !== undefined && isSame(last.header, header) ? last.known : undefined;
  }

  remember(connection: object, header: string, known: Known): void {
    this.#last.set(connection, { header, known });
  }
}

/**
 * Takes as long for texts that differ at their beginning as at their end: behind a proxy a connection carries more than
 * one caller's headers. Without buffers, which would cost more than everything else done for a request to sign in.
 */
function isSame(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
