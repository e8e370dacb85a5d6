/**
 * Decides what is wrong with how callers sign in: ways that lead nowhere, and callers that could
 * be taken for each other, or for this gateway. Looks at what was written.
 */

import { authorityProblems, unreadable } from "./file-checks.js";
import { at, entries, list, lower, twice } from "./raw-values.js";

/** What has to be offered, of `signIn.schemes`, so that a caller can use what it has; certificates need none. */
const SCHEMES: Readonly<Record<string, readonly string[]>> = {
  passwordHash: ["basic"],
  password: ["negotiate", "ntlm"],
  ntHash: ["negotiate", "ntlm"],
  principals: ["negotiate"],
  tokens: ["bearer"],
};

/** A caller that signs in with an account of ours could not be told from our own question coming back. */
export function ownAccountProblems(raw: unknown, backends: readonly [string, unknown][]): string[] {
  const own = new Map(
    backends.flatMap(([key, backend]) =>
      [backend, ...list(at(backend, "accounts"))].flatMap((holder) =>
        ["username", "actsAs", "principal"].map((setting) => [lower(at(holder, setting)), key] as const),
      ),
    ),
  );
  return entries(at(raw, "callers")).flatMap(([key, caller]) =>
    (["usernames", "principals"] as const)
      .flatMap((setting) => list(at(caller, setting)).map((name) => [setting, name] as const))
      .flatMap(([setting, name]) => {
        const backend = typeof name === "string" ? own.get(lower(name)) : undefined;
        if (backend === undefined) return [];
        return [
          `callers.${key}.${setting}: '${name}' is also the service account of backend '${backend}'. Give the caller an account of its own, or a question sent back to this gateway is not recognised.`,
        ];
      }),
  );
}

/** Ways to sign in that lead nowhere, and callers that could be taken for each other. */
export function signInProblems(raw: unknown): string[] {
  const problems: string[] = [];
  const tls = at(at(raw, "listen"), "tls");
  const issuers = entries(at(at(raw, "signIn"), "tokens")).map(([, issuer]) => at(issuer, "name"));
  const tokens = at(at(raw, "signIn"), "tokens");
  problems.push(
    ...twice("signIn.tokens", tokens, (issuer) => [lower(at(issuer, "name"))], "name"),
    ...twice("signIn.tokens", tokens, (issuer) => [at(issuer, "issuer") as string | undefined], "issuer"),
  );
  for (const [key, issuer] of entries(tokens)) {
    const path = `signIn.tokens.${key}`;
    const url = at(issuer, "keysUrl");
    if ((url === undefined) === (at(issuer, "keysFile") === undefined))
      problems.push(`${path}: give either keysUrl or keysFile.`);
    if (typeof url === "string" && url.startsWith("http:") && at(issuer, "allowPlainHttp") !== true) {
      problems.push(
        `${path}.keysUrl: whoever can change an answer over http:// can sign in as anybody. Use https://, or set allowPlainHttp for a test.`,
      );
    }
    const [keysFile, caFile] = [at(issuer, "keysFile"), at(issuer, "caFile")];
    if (typeof keysFile === "string") problems.push(...unreadable(`${path}.keysFile`, keysFile));
    if (typeof caFile === "string") problems.push(...authorityProblems(`${path}.caFile`, caFile));
  }
  const keytab = at(at(at(raw, "signIn"), "kerberos"), "keytabFile");
  if (typeof keytab === "string") problems.push(...unreadable("signIn.kerberos.keytabFile", keytab));
  const schemes = at(at(raw, "signIn"), "schemes");
  for (const [key, caller] of entries(at(raw, "callers"))) {
    const path = `callers.${key}`;
    const secrets = ["passwordHash", "password", "ntHash"].filter((setting) => at(caller, setting) !== undefined);
    const others = ["principals", "tokens", "certificates"].filter((setting) => list(at(caller, setting)).length > 0);
    const names = list(at(caller, "usernames")).length;
    const byLambda = at(at(raw, "lambda"), "caller");
    if (secrets.length === 0 && others.length === 0 && (byLambda === undefined || at(caller, "name") !== byLambda)) {
      problems.push(
        `${path}: cannot sign in. Give passwordHash, password, ntHash, principals, tokens or certificates.`,
      );
    }
    const ways = [...secrets, ...others];
    const wanted = [...new Set(ways.flatMap((way) => SCHEMES[way] ?? []))];
    if (Array.isArray(schemes) && ways.length > 0 && !ways.includes("certificates")) {
      if (!wanted.some((scheme) => schemes.includes(scheme))) {
        problems.push(`${path}: cannot sign in, because signIn.schemes lacks ${wanted.join(" and ")}. Add it there.`);
      }
    }
    if (secrets.length > 0 && names === 0)
      problems.push(`${path}.usernames: is empty. Name the account that ${secrets[0]} is for.`);
    if (secrets.length === 0 && names > 0)
      problems.push(
        `${path}.usernames: no password is given for them. Give passwordHash, password or ntHash, or remove them.`,
      );
    if (secrets.includes("password") && secrets.includes("ntHash"))
      problems.push(`${path}: give either password or ntHash.`);
    for (const token of list(at(caller, "tokens"))) {
      if (!issuers.includes(at(token, "issuer")))
        problems.push(`${path}.tokens: there is no issuer '${at(token, "issuer")}' in signIn.tokens.`);
    }
    if (list(at(caller, "certificates")).length > 0 && at(tls, "clientCaFile") === undefined) {
      problems.push(`${path}.certificates: nobody is asked for one. Set listen.tls.clientCaFile.`);
    }
    if (list(at(caller, "principals")).length > 0 && at(at(raw, "signIn"), "kerberos") === undefined) {
      problems.push(`${path}.principals: Kerberos is off. Set signIn.kerberos.`);
    }
  }
  for (const setting of ["principals", "tokens", "certificates"]) {
    problems.push(
      ...twice(
        "callers",
        at(raw, "callers"),
        (caller) => list(at(caller, setting)).map((one) => JSON.stringify(one)),
        setting,
      ),
    );
  }
  const audit = at(raw, "audit");
  if ((at(audit, "addresses") === "hashed") !== (at(audit, "hashKey") !== undefined)) {
    problems.push("audit: hashed addresses need hashKey, and plain ones have no use for it.");
  }
  return problems;
}
