/** Availability events as WorkMail's documents show them, and as they might come otherwise. */

export function capEvent(mailboxes: readonly unknown[], more: Record<string, unknown> = {}) {
  return {
    requester: {
      email: "bob@corp.example",
      userName: "bob",
      organization: "m-0123456789abcdef0123456789abcdef",
      userId: "S-1-1-12-1234567890-123456789-123456789-1234",
      origin: "198.51.100.20",
    },
    mailboxes,
    window: { startDate: "2026-07-01T00:00:00.000Z", endDate: "2026-07-02T00:00:00.000Z" },
    ...more,
  };
}
