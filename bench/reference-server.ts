/**
 * The named reference of the cached benchmark: a bare fastify route that checks the same
 * header and returns the same bytes. Reads them from a file; a process of its own.
 */

import { readFileSync } from "node:fs";
import fastify from "fastify";

const [port, file, authorization] = process.argv.slice(2) as [string, string, string];
const answer = readFileSync(file, "utf8");
const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser("text/xml", { parseAs: "buffer" }, (_, body, done) => done(null, body));
app.post("/EWS/Exchange.asmx", async (request, reply) => {
  if (request.headers.authorization !== authorization) return reply.code(401).send();
  reply.type("text/xml; charset=utf-8");
  return answer;
});
await app.listen({ port: Number(port), host: "127.0.0.1" });
process.stdout.write("listening\n");
