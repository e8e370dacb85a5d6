/**
 * Decides what has to be typed on the other sides, and how it is undone: Exchange's address
 * space, WorkMail's availability configuration, DNS. Derived from the configuration, so that the
 * names on both sides are the same.
 *
 * Pure, and holds no secret: passwords are asked for where a command is typed.
 */

export interface SetupFacts {
  /** "corp.example". */
  readonly domains: readonly string[];
  /** "corp.awsapps.com". */
  readonly forestDomains: readonly string[];
  /** The EWS address that Exchange, and that WorkMail, is given. Undefined: autodiscover is not configured. */
  readonly exchangeUrl: URL | undefined;
  readonly workmailUrl: URL | undefined;
  /** The names with which each side signs in here; undefined: no caller has that origin. */
  readonly exchangeCaller: string | undefined;
  readonly workmailCaller: string | undefined;
  /** The accounts with which the gateway signs in there. */
  readonly exchangeAccounts: readonly string[];
  readonly workmailAccounts: readonly string[];
  readonly organizationId: string | undefined;
  readonly region: string | undefined;
  readonly lambda: boolean;
}

interface Section {
  readonly title: string;
  readonly shell: "powershell" | "bash" | "text";
  readonly set: readonly string[];
  readonly undo: readonly string[];
}

/** In the order in which it is done; the undo runs the other way round. */
export function setupGuide(facts: SetupFacts, undo: boolean): string {
  const sections = [names(facts), exchange(facts), workmail(facts)];
  const shown = undo ? [...sections].reverse() : sections;
  const head = undo ? "How to take the other sides back." : "What to type on the other sides.";
  const blocks = shown.map(({ title, shell, set, undo: back }) => {
    const lines = undo ? back : set;
    return [`## ${title}`, ...(shell === "text" ? lines : [`\`\`\`${shell}`, ...lines, "```"]), ""].join("\n");
  });
  const then = undo ? "" : "\nThen: freebusy doctor --config FILE\n";
  return `${head}\n\n${blocks.join("\n")}${then}`;
}

function exchange({ forestDomains, exchangeUrl, exchangeCaller, exchangeAccounts }: SetupFacts): Section {
  const discovery = exchangeUrl && new URL("/autodiscover/autodiscover.xml", exchangeUrl).href;
  const add = forestDomains.flatMap((forest) => [
    `# WorkMail's people, ${forest}. Only if there is none yet: Get-AvailabilityAddressSpace`,
    `Add-AvailabilityAddressSpace -ForestName ${forest} -AccessMethod OrgWideFB -Credentials $account -TargetAutodiscoverEpr ${discovery ?? missing("autodiscover.url")}`,
  ]);
  const accounts = exchangeAccounts.map(quoted);
  return {
    title: "Exchange, in the Exchange Management Shell",
    shell: "powershell",
    set: [
      "# What there is now, for the way back.",
      "Get-AvailabilityAddressSpace | Export-Clixml .\\address-spaces-before.xml",
      `$account = Get-Credential ${exchangeCaller === undefined ? missing("a caller with the origin of Exchange") : quoted(exchangeCaller)}`,
      ...add,
      ...accounts.flatMap((account) => [
        `# The gateway asks with ${account}: any ordinary user, without rights of its own.`,
        `Get-User ${account} | Format-List Name,RecipientTypeDetails,UserAccountControl`,
      ]),
    ],
    undo: [
      ...forestDomains.map(
        (forest) =>
          `Get-AvailabilityAddressSpace | Where-Object ForestName -eq ${forest} | Remove-AvailabilityAddressSpace`,
      ),
      "# What was there before, without its passwords:",
      "Import-Clixml .\\address-spaces-before.xml | Format-List ForestName,AccessMethod,UserName,TargetAutodiscoverEpr",
    ],
  };
}

function workmail(facts: SetupFacts): Section {
  const { domains, workmailUrl, workmailCaller, workmailAccounts, organizationId, region, lambda } = facts;
  const who = '--organization-id "$ORG" --region "$REGION"';
  const variables = [
    `ORG=${organizationId ?? missing("doctor.organization")}`,
    `REGION=${region ?? missing("doctor.organization")}`,
  ];
  const provider = lambda
    ? '--lambda-provider LambdaArn="$ARN"'
    : `--ews-provider EwsEndpoint=${workmailUrl?.href ?? missing("autodiscover.url")},EwsUsername='${workmailCaller ?? missing("a caller with the origin of WorkMail")}',EwsPassword="$PASSWORD"`;
  const secret = lambda
    ? [
        "ACCOUNT=$(aws sts get-caller-identity --query Account --output text)",
        "ARN=the-functions-arn   # see the README: WorkMail asks a function",
        'aws lambda add-permission --function-name "$ARN" --statement-id workmail --action lambda:InvokeFunction --principal "availability.workmail.$REGION.amazonaws.com" --source-account "$ACCOUNT" --source-arn "arn:aws:workmail:$REGION:$ACCOUNT:organization/$ORG"',
      ]
    : ["read -rs -p 'Password of the caller: ' PASSWORD   # Latin-1 letters only, at most 256, no comma and no quotes"];
  return {
    title: "WorkMail, with the AWS command line",
    shell: "bash",
    set: [
      ...variables,
      ...workmailAccounts.map(
        (account) =>
          `aws workmail describe-user ${who} --user-id '${account}'   # the gateway's account: ENABLED, USER`,
      ),
      ...secret,
      ...domains.flatMap((domain) => [
        `aws workmail create-availability-configuration ${who} --domain-name ${domain} ${provider}`,
        `aws workmail test-availability-configuration ${who} --domain-name ${domain}`,
      ]),
    ],
    undo: [
      ...variables,
      ...domains.map((domain) => `aws workmail delete-availability-configuration ${who} --domain-name ${domain}`),
      ...(lambda ? ['aws lambda remove-permission --function-name "$ARN" --statement-id workmail'] : []),
    ],
  };
}

function names({ domains, exchangeUrl, workmailUrl, lambda }: SetupFacts): Section {
  const hosts = [exchangeUrl, lambda ? undefined : workmailUrl].flatMap((url) =>
    url === undefined ? [] : [url.hostname],
  );
  const distinct = [...new Set(hosts)];
  return {
    title: "DNS and the network",
    shell: "text",
    set: [
      ...distinct.map(
        (host) =>
          `- ${host}: an A record that leads to this gateway${lambda ? "" : ", from the internet too"}, and TCP 443 open.`,
      ),
      ...domains.map((domain) => `- ${domain}: MX and autodiscover.${domain} stay with Exchange. Leave them alone.`),
    ],
    undo: distinct.map((host) => `- ${host}: remove the A record, now that nobody is sent there any more.`),
  };
}

const missing = (what: string): string => `<${what} is not configured>`;
/** For PowerShell: single quotes, doubled inside. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
