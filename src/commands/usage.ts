/** Decides what is said about the command line as a whole, by itself or after something that was wrong with it. */

import { ended } from "./ended.js";

export const HELP = `Usage: freebusy [run] --config FILE      run the gateway
       freebusy check --config FILE      say everything that is wrong with a configuration
       freebusy hash-password            read a password from standard input, print its hash
       freebusy schema                   print the configuration's JSON schema
       freebusy explain ADDRESS          ask the running gateway why a mailbox goes where it goes
                        [--as BACKEND] [--ask] [--json] --config FILE | --management URL
       freebusy health --config FILE | --management URL
                                         whether the gateway on this machine is alive
       freebusy lookup MAILBOX...        ask the running gateway who is free when, and draw it;
                                         freebusy lookup --help says how
       freebusy setup --config FILE      what to type on the other sides; --undo takes it back;
                                         --new FILE asks a few questions and writes a first configuration
       freebusy doctor --config FILE     look at the whole site: what is wrong, why it matters, what to do;
                                         freebusy doctor --help says more
       freebusy purge ADDRESS | --all    have the running gateway, and those that share its cache, forget answers
                        [--json] --config FILE | --management URL
       freebusy reason [WORD]            what a reason in a log or an answer means, and what to do; all of them

Options:
  -c, --config FILE   YAML configuration
      --as BACKEND    explain: as if this system asked
      --ask           explain: ask the backend too, and say how long it took
      --all           purge: about every mailbox
      --json          explain, purge: for programs
      --management URL  explain, purge, health: the running gateway's management listener, when it is not on this machine
  -h, --help          this text
      --version       the version

Exit codes: 0 done, 1 could not run, 2 wrong command line or configuration,
            3 explain: nobody would be asked, or what was asked failed; purge: others who share the cache were not reached.
`;

export function usage(problem: string): void {
  ended(2, `freebusy: ${problem}\n\n${HELP}`);
}
