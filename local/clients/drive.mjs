// The AWS SDK for JavaScript, driven by lines of JSON on standard input: one answer a line.
import * as chime from "@aws-sdk/client-chime";
import { createInterface } from "node:readline";

const client = new chime.ChimeClient({
  endpoint: process.env.CHIME_ENDPOINT,
  region: "eu-west-1",
  credentials: { accessKeyId: "AKIDJS", secretAccessKey: "secret" },
  maxAttempts: 1,
});

async function answer({ operation, input, paginate, pageSize }) {
  if (paginate) {
    const pages = [];
    for await (const page of chime[`paginate${paginate}`]({ client, pageSize }, input)) pages.push(page);
    return { pages };
  }
  return { output: await client.send(new chime[`${operation}Command`](input)) };
}

for await (const line of createInterface({ input: process.stdin })) {
  let told;
  try {
    told = await answer(JSON.parse(line));
  } catch (error) {
    const typed = error.name in chime && error instanceof chime[error.name];
    told = { error: typed ? error.name : `not typed: ${error.name}`, status: error.$metadata?.httpStatusCode };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
