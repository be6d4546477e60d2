/** The library's version, as package.json has it. */
export const VERSION = "0.1.0";

/** What the library calls itself to servers. */
export const USER_AGENT = `chatbridge-typescript/${VERSION}`;
