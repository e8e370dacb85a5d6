// The import rule of the house: imports point inward only (see DECISIONS.md).
//   availability <- proxy <- { codecs, backends, caches, telemetry, inbound, config } <- compose <- commands, entry files
const only = (name, from, allowed, comment) => ({
  name,
  severity: "error",
  comment,
  from: { path: from },
  to: { path: "^src/", pathNot: allowed },
});

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    only("core-is-alone", "^src/availability/", ["^src/availability/"], "The core knows nobody."),
    {
      name: "core-has-no-packages",
      severity: "error",
      comment: "The core is arithmetic on nouns: no package, no clock, no socket. node:url gives IDNA.",
      from: { path: "^src/availability/" },
      to: { dependencyTypes: ["npm", "npm-dev", "core"], pathNot: "^(node:)?url$" },
    },
    only(
      "policy-sees-core",
      "^src/proxy/",
      ["^src/availability/", "^src/proxy/"],
      "Policy talks to the world through its own ports.",
    ),
    {
      name: "policy-has-no-packages",
      severity: "error",
      from: { path: "^src/proxy/" },
      to: { dependencyTypes: ["npm", "npm-dev", "core"] },
    },
    only(
      "codec-sees-core",
      "^src/ews/",
      ["^src/availability/", "^src/ews/"],
      "A codec turns text into core and back; no sockets.",
    ),
    only(
      "autodiscover-sees-core",
      "^src/autodiscover/",
      ["^src/availability/", "^src/autodiscover/"],
      "A codec of its own; it does not know EWS.",
    ),
    {
      name: "codec-has-no-sockets",
      severity: "error",
      from: { path: "^src/(ews|autodiscover)/" },
      to: { path: "^(node:)?(net|tls|https?|fs|dns)$|node_modules/(undici|fastify)" },
    },
    only(
      "cap-codec-sees-core",
      "^src/workmail-cap/",
      ["^src/availability/", "^src/workmail-cap/"],
      "WorkMail's availability events, to core and back; no sockets.",
    ),
    only("json-sees-core", "^src/json/", ["^src/availability/", "^src/json/"], "A codec, like EWS's."),
    only("icalendar-sees-core", "^src/icalendar/", ["^src/availability/", "^src/icalendar/"], "A codec, like EWS's."),
    {
      name: "json-and-icalendar-have-no-packages",
      severity: "error",
      from: { path: "^src/(json|icalendar)/" },
      to: { dependencyTypes: ["npm", "npm-dev", "core"] },
    },
    only("ntlm-is-alone", "^src/ntlm/", ["^src/ntlm/"], "A codec of messages and their arithmetic; no sockets."),
    only("aws-is-alone", "^src/aws/", ["^src/aws/"], "What AWS's errors mean, for backends and directories alike."),
    only("kerberos-is-alone", "^src/kerberos/", ["^src/kerberos/"], "Only the door to an optional package."),
    only("backends-inward", "^src/backends/", [
      "^src/availability/",
      "^src/proxy/",
      "^src/ews/",
      "^src/ntlm/",
      "^src/kerberos/",
      "^src/aws/",
      "^src/backends/",
    ]),
    only(
      "directories-inward",
      "^src/directories/",
      ["^src/availability/", "^src/proxy/", "^src/aws/", "^src/directories/"],
      "A directory knows who lives where; it asks no backend and reads no configuration.",
    ),
    only("caches-inward", "^src/caches/", ["^src/availability/", "^src/proxy/", "^src/caches/"]),
    only("telemetry-inward", "^src/telemetry/", ["^src/availability/", "^src/proxy/", "^src/telemetry/"]),
    only(
      "inbound-inward",
      "^src/inbound/",
      [
        "^src/availability/",
        "^src/proxy/",
        "^src/(ews|autodiscover|workmail-cap|json|icalendar)/",
        "^src/ntlm/",
        "^src/kerberos/",
        "^src/inbound/",
      ],
      "An inbound adapter never meets a backend or a cache.",
    ),
    only(
      "operations-inward",
      "^src/operations/",
      [
        "^src/availability/",
        "^src/proxy/",
        "^src/operations/",
        "^src/inbound/(caller-authentication|work-gate|process-strain)",
      ],
      "The reasons why somebody is not let in have pages, too.",
    ),
    only("config-inward", "^src/config/", ["^src/availability/", "^src/config/"]),
    {
      name: "only-compose-knows-everybody",
      severity: "error",
      from: {
        path: "^src/",
        pathNot: "^src/(compose[a-z-]*|main|cli|lambda|commands/[a-z-]+)\\.ts$",
      },
      to: { path: "^src/(compose[a-z-]*|main|cli|lambda|commands/[a-z-]+)\\.ts$" },
    },
    {
      name: "production-never-imports-simulators-tests-or-bench",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(simulators|test|bench|clients|lambda|packaging)/" },
    },
    {
      name: "clients-know-no-gateway",
      severity: "error",
      comment: "A real client has nothing but a URL and credentials.",
      from: { path: "^clients/" },
      to: { path: "^(src|simulators|test|bench|lambda)/" },
    },
    {
      name: "production-has-no-development-packages",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"] },
    },
    {
      name: "simulators-are-independent-witnesses",
      severity: "error",
      comment:
        "A simulator written on the product's own codec would repeat its mistakes. Only the demo starts the product.",
      from: { path: "^simulators/", pathNot: "^simulators/demo\\.ts$" },
      to: { path: "^src/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.test.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^dist/" },
  },
};
