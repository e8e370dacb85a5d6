/**
 * Decides how many requests may be under way while it is not known whether the other side bears
 * them: one. It would say no at once, so when the oldest of them has heard nothing for one
 * second another one may go beside it, after three seconds a third, after seven a fourth: one
 * slow answer must not keep all others waiting.
 *
 * Knows neither what is sent nor why it might not be borne.
 */

const FIRST_STEP_MS = 1_000;

interface UnderWay {
  steps: number;
  timer: NodeJS.Timeout;
}

export class CarefulSteps {
  /** The oldest first. */
  readonly #underWay = new Set<UnderWay>();
  readonly #more: () => void;

  /** `more`: called when one more may go. */
  constructor(more: () => void) {
    this.#more = more;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** How many may be under way now. */
  get most(): number {
    const [oldest] = this.#underWay;
    return 1 + (oldest?.steps ?? 0);
  }

  /** A request goes. The function is to be called when it is over. */
  begin(): () => void {
    const step = () => {
      one.steps++;
      one.timer = setTimeout(step, FIRST_STEP_MS * 2 ** one.steps);
      this.#more();
    };
    const one: UnderWay = { steps: 0, timer: setTimeout(step, FIRST_STEP_MS) };
    this.#underWay.add(one);
    return () => {
      clearTimeout(one.timer);
      this.#underWay.delete(one);
    };
  }
}
