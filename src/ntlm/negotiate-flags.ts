/** NTLM's negotiate flags (MS-NLMP 2.2.2.5), those that are ever looked at here. Bits of a 32-bit word, as unsigned numbers. */

export const NEGOTIATE_UNICODE = 0x0000_0001;
/** Text in a code page, which is taken for Latin-1 here. */
export const NEGOTIATE_OEM = 0x0000_0002;
export const REQUEST_TARGET = 0x0000_0004;
/** Agreed to because some clients insist; nothing is ever signed here. */
export const NEGOTIATE_SIGN = 0x0000_0010;
export const NEGOTIATE_LM_KEY = 0x0000_0080;
export const NEGOTIATE_NTLM = 0x0000_0200;
export const ANONYMOUS = 0x0000_0800;
export const DOMAIN_SUPPLIED = 0x0000_1000;
export const WORKSTATION_SUPPLIED = 0x0000_2000;
export const NEGOTIATE_ALWAYS_SIGN = 0x0000_8000;
export const TARGET_TYPE_SERVER = 0x0002_0000;
export const NEGOTIATE_EXTENDED_SESSION_SECURITY = 0x0008_0000;
export const NEGOTIATE_TARGET_INFO = 0x0080_0000;
export const NEGOTIATE_VERSION = 0x0200_0000;
export const NEGOTIATE_128 = 0x2000_0000;
export const NEGOTIATE_KEY_EXCHANGE = 0x4000_0000;
export const NEGOTIATE_56 = 0x8000_0000;

export const has = (flags: number, flag: number): boolean => (flags & flag) !== 0;
export const combined = (...flags: readonly number[]): number => flags.reduce((all, flag) => all | flag, 0) >>> 0;
export const common = (ours: number, theirs: number): number => (ours & theirs) >>> 0;
