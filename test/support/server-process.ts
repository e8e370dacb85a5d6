/** A server of somebody else's as a process of the test: started, waited for, stopped; nothing else is ever touched. */

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";

export class ServerProcess {
  readonly #command: readonly [string, ...string[]];
  readonly #host: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  /** It is ready when it listens on host and port. It must stay in the foreground. */
  constructor(command: readonly [string, ...string[]], host: string, port: number) {
    this.#command = command;
    this.#host = host;
    this.#port = port;
  }

  async start(): Promise<void> {
    const [program, ...args] = this.#command;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-4000);
      });
    }
    this.#child = child;
    const end = () => child.kill("SIGKILL");
    process.once("exit", end);
    this.#exited = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    void this.#exited.then(() => process.off("exit", end));
    for (let attempt = 0; attempt < 300; attempt++) {
      if (await listens(this.#host, this.#port)) return;
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${program} ended: ${output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${program} does not listen: ${output}`);
  }

  /** At once, without a farewell to anybody. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  /** Still there, and connected to, but silent, until `resume`. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const tell = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => tell(true));
    socket.once("error", () => tell(false));
  });
}

/** An address of this machine alone, and of this process alone: servers with fixed ports do not meet on it. */
export function ownLoopbackAddress(): string {
  const { pid } = process;
  return `127.${100 + Math.floor(pid / 62_500)}.${Math.floor(pid / 250) % 250}.${1 + (pid % 250)}`;
}
