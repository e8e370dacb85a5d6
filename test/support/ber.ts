/** LDAP messages as bytes (BER), right ones and wrong ones. */

/** An element: its tag, its length, its content. */
export function element(tag: number, ...content: readonly (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)));
  const { length } = bytes;
  const written = length < 0x80 ? [length] : [0x84, 0, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...written]), bytes]);
}

export const number = (value: number, tag = 0x02) => element(tag, Buffer.from([value]));
export const text = (words: string | Buffer, tag = 0x04) => element(tag, words);
export const attribute = (name: string, ...values: readonly string[]) =>
  element(0x30, text(name), element(0x31, ...values.map((value) => text(value))));
export const entry = (dn: string, ...attributes: readonly Buffer[]) =>
  element(0x64, text(dn), element(0x30, ...attributes));
export const reference = (url: string) => element(0x73, text(url));
const result = (tag: number, code: number, ...more: readonly Buffer[]) =>
  element(tag, number(code, 0x0a), text(""), text(""), ...more);
export const bound = () => result(0x61, 0);
/** Active Directory's answer to a wrong password. */
export const refused = () =>
  element(
    0x61,
    number(49, 0x0a),
    text(""),
    text("80090308: LdapErr: DSID-0C09041C, comment: AcceptSecurityContext error, data 52e, v4563"),
  );
export const done = () => result(0x65, 0);
/** RFC 4511, 4.4.1. */
export const disconnecting = () => result(0x78, 52, text("1.3.6.1.4.1.1466.20036", 0x8a));
/** With the cookie of the next page. */
export const paged = (cookie: string) =>
  element(0xa0, element(0x30, text("1.2.840.113556.1.4.319"), text(element(0x30, number(0), text(cookie)))));
export const message = (id: number, ...parts: readonly Buffer[]) => element(0x30, number(id), ...parts);
/** The number of a message. */
export const idOf = (asked: Buffer) => asked[asked.indexOf(0x02) + 2] as number;

/** Its only value says that it is longer than the list it is in; who believes it never comes to the end of the list. */
export const ENDLESS_ENTRY = element(
  0x64,
  text("CN=Ann"),
  element(0x30, element(0x30, text("mail"), element(0x31, Buffer.from([0x04, 0x7f, 0x61])))),
);
