/**
 * Decides which questions make a first configuration, what is a good answer to each, and what
 * the file looks like. Secrets are named, never asked for.
 */

export interface WizardQuestion {
  readonly key: string;
  readonly ask: string;
  readonly usual?: (given: Answers) => string;
  /** What is wrong with an answer; undefined: nothing. */
  readonly wrong: (answer: string) => string | undefined;
}

export type Answers = Readonly<Record<string, string>>;

const pattern = (expression: RegExp, expected: string) => (answer: string) =>
  expression.test(answer) ? undefined : `Expected ${expected}.`;

const DOMAIN = pattern(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, "a domain such as corp.example");
const EWS = pattern(/^https:\/\/[A-Za-z0-9.-]+(:\d+)?\/\S*exchange\.asmx$/i, "https://host/EWS/Exchange.asmx");
const NAME = pattern(
  /^[^\s':"]+$/,
  "a name such as CORP\\svc-freebusy or svc-freebusy@corp.example, without quotes and spaces",
);

export const QUESTIONS: readonly WizardQuestion[] = [
  { key: "domain", ask: "The mail domain both systems share", wrong: DOMAIN },
  {
    key: "alias",
    ask: "The WorkMail organization's alias (the first part of ALIAS.awsapps.com)",
    usual: ({ domain = "" }) => domain.split(".")[0] ?? "",
    wrong: pattern(/^[a-z0-9][a-z0-9-]{0,61}$/i, "letters, digits and hyphens"),
  },
  {
    key: "region",
    ask: "The organization's region",
    usual: () => "eu-west-1",
    wrong: pattern(/^(us-east-1|us-west-2|eu-west-1)$/, "us-east-1, us-west-2 or eu-west-1"),
  },
  {
    key: "exchange",
    ask: "Exchange's EWS address",
    usual: ({ domain }) => `https://mail.${domain}/EWS/Exchange.asmx`,
    wrong: EWS,
  },
  {
    key: "scheme",
    ask: "How the gateway signs in to Exchange (basic or ntlm)",
    usual: () => "ntlm",
    wrong: pattern(/^(basic|ntlm)$/, "basic or ntlm"),
  },
  { key: "exchangeAccount", ask: "The gateway's account in Exchange", usual: () => "CORP\\svc-freebusy", wrong: NAME },
  {
    key: "workmailAccount",
    ask: "The gateway's account in WorkMail",
    usual: ({ domain }) => `svc-freebusy@${domain}`,
    wrong: NAME,
  },
  {
    key: "exchangeCaller",
    ask: "The account with which Exchange will ask the gateway",
    usual: () => "CORP\\exchange-freebusy",
    wrong: NAME,
  },
  {
    key: "workmailCaller",
    ask: "The account with which WorkMail will ask the gateway",
    usual: ({ domain }) => `workmail-freebusy@${domain}`,
    wrong: NAME,
  },
  {
    key: "published",
    ask: "The address under which both reach the gateway",
    usual: ({ domain }) => `https://freebusy.${domain}/EWS/Exchange.asmx`,
    wrong: EWS,
  },
];

/** The environment variables the file refers to. */
export const SECRET_VARIABLES = [
  ["EXCHANGE_PASSWORD", "the password of the gateway's account in Exchange"],
  ["WORKMAIL_PASSWORD", "the password of the gateway's account in WorkMail"],
  ["EXCHANGE_CALLER_PASSWORD", "the password with which Exchange will ask"],
  ["EXCHANGE_CALLER_HASH", "its hash: freebusy hash-password < file"],
  ["WORKMAIL_CALLER_HASH", "the hash of the password with which WorkMail will ask"],
] as const;

export function firstConfiguration(answers: Answers): string {
  const { domain = "", alias = "", region, exchange, scheme, published } = answers;
  const name = (key: string) => `'${answers[key]}'`;
  const lower = domain.toLowerCase();
  return `# A first configuration. Next: freebusy setup --config FILE, then freebusy doctor --config FILE.
listen: { host: 127.0.0.1, port: 8080 }
management: { host: 127.0.0.1, port: 9090 }
autodiscover: { url: '${published}' }

callers:
  - { name: exchange, usernames: [${name("exchangeCaller")}], passwordHash: env:EXCHANGE_CALLER_HASH, password: env:EXCHANGE_CALLER_PASSWORD, origin: exchange }
  - { name: workmail, usernames: [${name("workmailCaller")}], passwordHash: env:WORKMAIL_CALLER_HASH, origin: workmail }

backends:
  exchange: { type: ews, url: '${exchange}', scheme: ${scheme}, username: ${name("exchangeAccount")}, password: env:EXCHANGE_PASSWORD }
  workmail: { type: workmail, region: ${region}, username: ${name("workmailAccount")}, password: env:WORKMAIL_PASSWORD }

directories:
  - { type: probe }

addressSpaces:
  - { domain: ${lower}, backend: exchange }
  - { domain: ${alias.toLowerCase()}.awsapps.com, backend: workmail, rewriteDomain: ${lower} }
`;
}
