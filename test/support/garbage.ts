import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** V8's own collector: a full collection, or one of young objects only. */
export function collector(): (how?: { readonly type: "minor" }) => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as (how?: { readonly type: "minor" }) => void;
}
