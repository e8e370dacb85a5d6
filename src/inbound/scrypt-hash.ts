/** Decides whether a password matches a `$scrypt$ln=…,r=…,p=…$salt$hash` string (PHC form, unpadded base64). */

import { scrypt, timingSafeEqual } from "node:crypto";

const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

export function isScryptHash(text: string): boolean {
  const match = FORM.exec(text);
  return match !== null && Number(match[1]) >= 10 && Number(match[1]) <= 20;
}

export function scryptMatches(stored: string, password: string): Promise<boolean> {
  const match = FORM.exec(stored);
  if (match === null) return Promise.resolve(false);
  const [, ln, r, p, salt, hash] = match as unknown as [string, string, string, string, string, string];
  const expected = Buffer.from(hash, "base64");
  const options = { N: 2 ** Number(ln), r: Number(r), p: Number(p), maxmem: 256 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(password, Buffer.from(salt, "base64"), expected.length, options, (error, actual) => {
      if (error === null) resolve(timingSafeEqual(actual, expected));
      else reject(error);
    });
  });
}
