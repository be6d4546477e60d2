// The driver in a page: what `browser.ts` calls, and what it offers to the page.
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { Chatbridge } from "@chatbridge/client/browser";
import { Driver } from "./driver.js";

declare global {
  /** Answers the line of a request. */
  var answer: (line: string) => Promise<string>;
  /** A page has no files: these two are the driver's, with the cursor in base64. */
  var readCursorFile: (path: string) => Promise<string | undefined>;
  var writeCursorFile: (path: string, cursor: string) => Promise<void>;
}

const driver = new Driver({
  connect: (open, options) => {
    const target = open.targets[0] ?? open.target;
    return new Chatbridge(`http://${target.replace(/^dns:\/*/, "")}`, options);
  },
  cursors: (path) => ({
    load: async () => {
      const cursor = await readCursorFile(path);
      return cursor === undefined ? undefined : base64Decode(cursor);
    },
    save: (cursor) => writeCursorFile(path, base64Encode(cursor)),
  }),
});

globalThis.answer = (line) => driver.answer(line);
