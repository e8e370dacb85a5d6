/** Waits for what something else brings about. Longer than any test may take, it is waited for no more. */
export async function until(condition: () => unknown, everyMs = 5): Promise<void> {
  const giveUpAt = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error("it has not come about within a minute");
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
