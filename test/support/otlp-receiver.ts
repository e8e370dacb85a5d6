/** What takes traces over OTLP/HTTP in JSON, and remembers them as a test wants to see them. */

import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly ms: number;
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly arrayValue?: { readonly values: readonly Value[] };
}
interface WireSpan extends Omit<ReceivedSpan, "attributes" | "ms"> {
  readonly attributes: readonly { readonly key: string; readonly value: Value }[];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}
interface WireTraces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[] }[];
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly headers: IncomingHttpHeaders[];
  /** Everything as it came. */
  readonly bodies: string[];
  /** What it answers from now on; 0: it takes a request and never answers. */
  becomes(status: number): void;
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const [spans, headers, bodies]: [ReceivedSpan[], IncomingHttpHeaders[], string[]] = [[], [], []];
  let status = 200;
  const server = createServer((request, reply) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      headers.push(request.headers);
      if (status === 0) return;
      if (status === 200) {
        bodies.push(body);
        const { resourceSpans } = JSON.parse(body) as WireTraces;
        spans.push(
          ...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans.map(readable))),
        );
      }
      reply.writeHead(status, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${port}/v1/traces`,
    spans,
    headers,
    bodies,
    becomes: (next) => {
      status = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return receiver;
}

function readable({ attributes, startTimeUnixNano, endTimeUnixNano, ...span }: WireSpan): ReceivedSpan {
  const value = (one: Value): unknown =>
    one.arrayValue === undefined ? (one.stringValue ?? Number(one.intValue)) : one.arrayValue.values.map(value);
  return {
    ...span,
    attributes: Object.fromEntries(attributes.map(({ key, value: one }) => [key, value(one)])),
    ms: Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6,
  };
}
