/** Thrown for bytes that are no NTLM message, or none this gateway takes. The text names the fault, never a content. */
export class NtlmMessageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NtlmMessageError";
  }
}
