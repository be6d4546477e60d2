import { Chatbridge } from "@chatbridge/client";
import { readCursor, writeCursor } from "./cursor-file.js";
import { Driver } from "./driver.js";
import { answerLines } from "./lines.js";

const driver = new Driver({
  connect: (open, options) => {
    const secure = open.caPem.length > 0 || open.certificatePem.length > 0;
    const tls = {
      ...(open.caPem.length > 0 && { authorities: open.caPem }),
      ...(open.certificatePem.length > 0 && { certificate: open.certificatePem, key: open.keyPem }),
    };
    const targets = open.targets.length > 0 ? open.targets : open.target;
    return new Chatbridge(targets, { ...options, ...(secure ? { tls } : { cleartext: true }) });
  },
  cursors: (path) => ({
    load: () => readCursor(path),
    save: (cursor) => writeCursor(path, cursor),
  }),
});

await answerLines((line) => driver.answer(line));
process.exit(0);
