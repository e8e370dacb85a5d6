import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { HalfDoneHandshakes } from "../../src/inbound/half-done-handshakes.js";

const socket = () => Object.assign(new EventEmitter(), { destroyed: false }) as unknown as Socket;

describe("a half-done handshake", () => {
  it("is taken once, and only on its own connection", () => {
    const handshakes = new HalfDoneHandshakes<string>(10, 1_000, () => 0);
    const [one, other] = [socket(), socket()];
    handshakes.begin(one, "a");
    expect(handshakes.take(other)).toBeUndefined();
    expect(handshakes.take(one)).toBe("a");
    expect(handshakes.take(one)).toBeUndefined();
  });

  it("is replaced by the next one on its connection, and waits for a bounded time", () => {
    let now = 0;
    const handshakes = new HalfDoneHandshakes<string>(10, 1_000, () => now);
    const one = socket();
    handshakes.begin(one, "a");
    handshakes.begin(one, "b");
    expect(handshakes.size).toBe(1);
    now = 1_001;
    expect(handshakes.take(one)).toBeUndefined();
  });

  it("is one of a bounded number, of which the oldest gives way", () => {
    const handshakes = new HalfDoneHandshakes<number>(100, 1_000, () => 0);
    const sockets = Array.from({ length: 10_000 }, socket);
    sockets.forEach((one, i) => {
      handshakes.begin(one, i);
    });
    expect(handshakes.size).toBe(100);
    expect(handshakes.take(sockets[0] as Socket)).toBeUndefined();
    expect(handshakes.take(sockets.at(-1) as Socket)).toBe(9_999);
  });

  it("ends with its connection, which is listened to once however often it begins", () => {
    const handshakes = new HalfDoneHandshakes<number>(100, 1_000, () => 0);
    const one = socket();
    for (let i = 0; i < 50; i++) handshakes.begin(one, i);
    expect(one.listenerCount("close")).toBe(1);
    (one as unknown as EventEmitter).emit("close");
    expect(handshakes.size).toBe(0);
  });
});
