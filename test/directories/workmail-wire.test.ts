/** WorkMail's directory under the API's real name, its answers canned: by the samples, and by what AWS is known to send. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import nock from "nock";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DirectoryRecord } from "../../src/directories/directory-source.js";
import { WorkMailDirectory } from "../../src/directories/workmail-directory.js";
import { readEverything } from "../contracts/directory-source-contract.js";
import {
  address,
  failure,
  never,
  ORGANIZATION_ID,
  primaries,
  SECRET,
  setCredentials,
} from "../support/workmail-organization.js";

setCredentials();
beforeAll(() => nock.disableNetConnect());
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

const REGIONAL = "https://workmail.eu-west-1.amazonaws.com";
const regional = () =>
  new WorkMailDirectory({
    organizationId: ORGANIZATION_ID,
    region: "eu-west-1",
    workmailBackend: "workmail",
    resourceBackend: "exchange",
    timeoutMs: 5_000,
  });
const canned = (operation: string, body: string | object, status = 200) =>
  nock(REGIONAL)
    .post("/")
    .matchHeader("x-amz-target", `WorkMailService.${operation}`)
    .reply(status, body, { "content-type": "application/x-amz-json-1.1" });

describe("WorkMail's own wire", () => {
  afterEach(() => {
    nock.cleanAll();
  });

  it("repeats nothing of what AWS quotes of a refused request", async () => {
    const quoted = `The Canonical String should have been 'x-amz-security-token:${SECRET}'`;
    canned("DescribeUser", { __type: "com.amazon.coral.service#InvalidSignatureException", message: quoted }, 403);
    const error = await failure(regional().readOne(address("bob@corp.example"), never()));
    expect(error.code).toBe("InvalidSignatureException");
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(SECRET);
  });

  it("says what to do when no credentials are found", async () => {
    const { AWS_ACCESS_KEY_ID } = process.env;
    delete process.env.AWS_ACCESS_KEY_ID;
    try {
      const error = await failure(regional().readOne(address("bob@corp.example"), never()));
      expect(error).toMatchObject({ code: "CredentialsProviderError", message: expect.stringContaining("role") });
    } finally {
      process.env.AWS_ACCESS_KEY_ID = AWS_ACCESS_KEY_ID;
    }
  });

  it("stops when a list gives the same page for ever", async () => {
    canned("DescribeOrganization", {});
    canned("ListUsers", { Users: [], NextToken: "again" });
    canned("ListUsers", { Users: [], NextToken: "again" });
    expect((await failure(readEverything(regional()))).code).toBe("REPEATED_TOKEN");
  });

  const folder = fileURLToPath(new URL("../../../shared/samples/workmail/", import.meta.url));
  const sample = (name: string) => readFileSync(`${folder}${name}`, "utf8");

  describe.skipIf(!existsSync(folder))("in the samples", () => {
    it("is read as a whole directory", async () => {
      canned("DescribeOrganization", sample("describe-organization.json"));
      canned("ListUsers", sample("list-users-page1.json"));
      canned("ListAliases", sample("list-aliases.json"));
      canned("ListUsers", sample("list-users-page2.json"));
      canned("ListGroups", { Groups: [], NextToken: null });
      const directory = regional();
      expect(await readEverything(directory)).toEqual([
        {
          kind: "mailbox",
          backend: "workmail",
          addresses: ["alice@corp.example", "alice@orgname.awsapps.com", "a.adams@corp.example"],
          legacyDns: [],
          evidence: "ENABLED, role USER",
        },
      ]);
      expect(directory.organization()).toMatchObject({
        expectedDomain: "orgname.awsapps.com",
        state: "Active",
        directoryId: "d-926726012c",
        interoperabilityEnabled: true,
      });
      expect(nock.pendingMocks()).toEqual([]);
    });

    it("is read as one user", async () => {
      canned("DescribeUser", sample("describe-user.json"));
      canned("ListAliases", sample("list-aliases.json"));
      const alice = await regional().readOne(address("alice@orgname.awsapps.com"), never());
      expect(primaries([alice as DirectoryRecord])).toEqual(["alice@corp.example"]);
    });

    it("is read as nobody", async () => {
      const [, body = ""] = sample("describe-entity-not-found.http").split(/\r?\n\r?\n/);
      canned("DescribeUser", body, 400);
      canned("DescribeGroup", body, 400);
      expect(await regional().readOne(address("nobody@corp.example"), never())).toBeUndefined();
      expect(nock.pendingMocks()).toEqual([]);
    });
  });
});
