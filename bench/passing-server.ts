/**
 * A reference of the uncached benchmarks: a proxy of the libraries the gateway is made of,
 * which passes questions and answers on as bytes and looks at nothing. What any hop costs.
 */

import fastify from "fastify";
import { Pool } from "undici";

const [port, upstream, authorization] = process.argv.slice(2) as [string, string, string];
const { origin, pathname: path } = new URL(upstream);
const pool = new Pool(origin);
const headers = { authorization, "content-type": "text/xml; charset=utf-8" };
const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser("text/xml", { parseAs: "buffer" }, (_, body, done) => done(null, body));
app.post(path, async (request, reply) => {
  const answer = await pool.request({ method: "POST", path, headers, body: request.body as Buffer });
  reply.code(answer.statusCode).type("text/xml; charset=utf-8");
  return Buffer.from(await answer.body.arrayBuffer());
});
await app.listen({ port: Number(port), host: "127.0.0.1" });
