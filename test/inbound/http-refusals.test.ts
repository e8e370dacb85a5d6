import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import fastify from "fastify";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { unreadRefusal } from "../../src/inbound/http-refusals.js";
import { ProblemReplies } from "../../src/inbound/problem-replies.js";
import { reasonPage } from "../../src/operations/reason-catalogue.js";

const app = fastify({ bodyLimit: 100 });
const told: string[] = [];
const replies = new ProblemReplies({
  requestRefused: ({ reason }) => void told.push(reason),
  unexpected: (_, error) => {
    throw error;
  },
});
replies.handleErrors(app);
app.post("/", async () => "read");
await app.listen({ host: "127.0.0.1", port: 0 });
const { port } = app.server.address() as AddressInfo;

/** Sends it as it is, and ends the connection when that has happened. */
async function sent(text: string, until: "answered" | "begun"): Promise<void> {
  const socket = connect(port, "127.0.0.1", () => socket.write(text));
  await (until === "answered" ? once(socket, "data") : once(app.server, "request"));
  socket.destroy();
}

const posted = (headers: string, body: string) =>
  `POST / HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
const JSON_TYPE = "Content-Type: application/json\r\n";

afterAll(() => app.close());
afterEach(() => {
  told.length = 0;
});

describe("a request that cannot be read", () => {
  it.each([
    ["is not JSON", posted(JSON_TYPE, "{"), "FST_ERR_CTP_INVALID_JSON_BODY"],
    ["is empty where JSON is announced", posted(JSON_TYPE, ""), "FST_ERR_CTP_EMPTY_JSON_BODY"],
    ["is too large", posted(JSON_TYPE, `"${"x".repeat(200)}"`), "FST_ERR_CTP_BODY_TOO_LARGE"],
    ["is of another type", posted("Content-Type: image/png\r\n", "x"), "FST_ERR_CTP_INVALID_MEDIA_TYPE"],
  ])("because it %s is told by a word that has a page", async (_, request, word) => {
    await sent(request, "answered");
    expect(told).toEqual([word]);
    expect(reasonPage(word)).toBeDefined();
  });

  it("because its connection ends in the middle of it is told as broken off, which has a page", async () => {
    await sent(posted(JSON_TYPE, "12345").slice(0, -2), "begun");
    await vi.waitFor(() => expect(told).toEqual(["broken-off"]));
    expect(reasonPage("broken-off")).toBeDefined();
  });

  it("for a reason nobody has thought of is told by one word, whatever the error calls itself", () => {
    expect(unreadRefusal({ code: "ERR_MADE_UP" })).toBe("bad-request");
    expect(unreadRefusal({})).toBe("bad-request");
    expect(reasonPage("bad-request")).toBeDefined();
  });
});
