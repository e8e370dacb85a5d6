/**
 * Decides how many of a list's questions are under way together. Knows nothing of what is
 * asked.
 */

/** The answers in the order of the items. The first failure is thrown, and nothing more is begun after it. */
export async function atMostAtOnce<Item, Answer>(
  atOnce: number,
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers = new Array<Answer>(items.length);
  const waiting = items.entries();
  let failed = false;
  const worker = async () => {
    for (const [position, item] of waiting) {
      if (failed) return;
      try {
        answers[position] = await ask(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return answers;
}
