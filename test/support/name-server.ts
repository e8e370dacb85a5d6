/** A name server of the test's own, over UDP on loopback: MX, CNAME and SRV from a table; any other name does not exist. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

const TYPES = { CNAME: 5, MX: 15, SRV: 33 } as const;

export interface NameServer {
  /** For the resolver. */
  readonly address: string;
  /** By "MX corp.example": "10 mail.corp.example"; CNAME and SRV: the target's name. */
  readonly records: Map<string, string[]>;
  close(): void;
}

export async function startNameServer(records: Record<string, string[]>): Promise<NameServer> {
  const socket = createSocket("udp4");
  const table = new Map(Object.entries(records));
  socket.on("message", (question, from) => socket.send(answer(question, table), from.port, from.address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, records: table, close: () => socket.close() };
}

function answer(question: Buffer, table: Map<string, string[]>): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] as number; length > 0; length = question[at] as number) {
    labels.push(question.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  const type = question.readUInt16BE(at + 1);
  const name = labels.join(".").toLowerCase();
  const kind = Object.entries(TYPES).find(([, number]) => number === type)?.[0];
  const found = (table.get(`${kind} ${name}`) ?? []).map((text) => record(type, text));
  const known = [...table.keys()].some((key) => key.endsWith(` ${name}`));
  const head = Buffer.alloc(12);
  question.copy(head, 0, 0, 2);
  head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(found.length, 6);
  return Buffer.concat([head, question.subarray(12, at + 5), ...found]);
}

function record(type: number, text: string): Buffer {
  const [priority, target] = text.includes(" ") ? (text.split(" ") as [string, string]) : ["0", text];
  const numbers = type === TYPES.MX ? [Number(priority)] : type === TYPES.SRV ? [0, 0, 443] : [];
  const data = Buffer.concat([...numbers.map(short), ...target.split(".").map(label), Buffer.from([0])]);
  // A pointer to the question's name, class IN, a minute to live.
  return Buffer.concat([short(0xc00c), short(type), short(1), short(0), short(60), short(data.length), data]);
}

function short(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(number);
  return bytes;
}

const label = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, "latin1")]);
