/**
 * Decides how a text is kept for longer than the message it came in: as a copy, because a piece
 * of a text keeps the whole text alive, here somebody's whole message for the sake of one name.
 */

export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
