/**
 * Decides which Exchange this gateway says it is in Autodiscover: the one it says it is in
 * EWS, because callers choose the words of their next question by it. Clients parse every
 * form, so none is left out.
 */

/** As in EWS's ServerVersionInfo. */
export const VERSION = { major: 15, minor: 2, majorBuild: 2562, minorBuild: 17 } as const;

const digits = (value: number, width: number) => String(value).padStart(width, "0");

/** As CasVersion and ExternalEwsVersion are written: "15.02.2562.017". */
export const VERSION_TEXT = `${digits(VERSION.major, 2)}.${digits(VERSION.minor, 2)}.${digits(VERSION.majorBuild, 4)}.${digits(VERSION.minorBuild, 3)}`;

/** As ServerVersion is written ([MS-OXDSCLI] ServerVersion): 4 bits 0111, 6 major, 6 minor, 1 set, 15 build, in hexadecimal. */
export const VERSION_HEX = (
  ((0b0111 << 28) | (VERSION.major << 22) | (VERSION.minor << 16) | (1 << 15) | VERSION.majorBuild) >>>
  0
)
  .toString(16)
  .toUpperCase();

/** The request versions that EWS is answered in here; clients take the last in alphabetical order. */
export const SUPPORTED_SCHEMAS =
  "Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2, Exchange2013, Exchange2013_SP1, Exchange2015, Exchange2016";
