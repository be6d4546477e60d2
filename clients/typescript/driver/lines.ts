import { createInterface } from "node:readline";

/** Answers each line of standard input with one of standard output, in any order; done when all have been answered. */
export async function answerLines(answer: (line: string) => Promise<string>): Promise<void> {
  const under = new Set<Promise<void>>();
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== "") {
      const one: Promise<void> = answer(line)
        .then((response) => void process.stdout.write(`${response}\n`))
        .finally(() => under.delete(one));
      under.add(one);
    }
  }
  await Promise.race([Promise.all(under), new Promise((resolve) => setTimeout(resolve, 1000))]);
}
