/**
 * Decides how NTLM goes through HTTP: as a scheme of its own, or, with servers that name
 * only Negotiate, bare under that word. The messages themselves are `src/ntlm`'s.
 */

import { serverEndPoint } from "../ntlm/channel-binding.js";
import { NtlmMessageError } from "../ntlm/message-error.js";
import { authenticateMessage, negotiateMessage, ntlmCredential } from "../ntlm/ntlm-client.js";
import { HandshakeFailure, type HandshakeScheme, type SchemeWord } from "./handshake.js";

export interface NtlmLogon {
  /** `DOMAIN\user`, `user@domain` or `user`. */
  readonly username: string;
  readonly password: string;
}

export function ntlmScheme({ username, password }: NtlmLogon, word: SchemeWord = "NTLM"): HandshakeScheme {
  const credential = ntlmCredential(username, password);
  return {
    word,
    begin: ({ host, certificate }) => ({
      start: async () => ({ token: negotiateMessage(), last: false }),
      next: async (challenge) => {
        const endPoint = certificate && serverEndPoint(certificate);
        const target = { servicePrincipal: `HTTP/${host}`, endPoint };
        try {
          return { token: authenticateMessage(credential, challenge, target), last: true };
        } catch (error) {
          if (!(error instanceof NtlmMessageError)) throw error;
          throw new HandshakeFailure("CHALLENGE_UNREADABLE", `${word}: ${error.message}`, { cause: error });
        }
      },
    }),
  };
}
