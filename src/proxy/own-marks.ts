/** The marks this gateway puts on what it sends, so that it knows its own questions when they come back. */

export const USER_AGENT = "freebusy-gateway";
export const HOP_HEADER = "x-freebusy-hop";
