// Verifies letters with npm's `standardwebhooks`, and has it refuse forgeries:
// node verify.js MODULES LETTERS accept|refuse

const fs = require("node:fs");
const path = require("node:path");

const [modules, file, verdict] = process.argv.slice(2);
const { Webhook } = require(path.join(modules, "standardwebhooks"));
const now = Date.now;

/** Whether it is accepted by a verifier whose clock is so many minutes off. */
function accepts(secret, body, headers, minutes = 0) {
  Date.now = () => now() + minutes * 60_000;
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  } finally {
    Date.now = now;
  }
}

/** With the lowest bit of the byte at this place the other way. */
function flipped(text, at) {
  const bytes = Buffer.from(text);
  bytes[at] ^= 1;
  return bytes.toString("latin1");
}

function fail(said) {
  console.error(said);
  process.exit(1);
}

const letters = JSON.parse(fs.readFileSync(file));
for (const { secrets, headers, body } of letters) {
  for (const secret of secrets) {
    if (verdict === "refuse") {
      if (accepts(secret, body, headers)) fail(`accepted: ${JSON.stringify(headers)}`);
      continue;
    }
    if (!accepts(secret, body, headers)) fail(`refused: ${JSON.stringify(headers)} ${body}`);
    for (const minutes of [6, -6]) {
      if (accepts(secret, body, headers, minutes)) fail(`accepted ${minutes} minutes off`);
    }
    const length = Buffer.byteLength(body);
    for (let n = 0; n < 32; n++) {
      const at = Math.floor((n * (length - 1)) / 31);
      if (accepts(secret, flipped(body, at), headers)) fail(`accepted with a bit flipped at ${at}`);
    }
    const id = { ...headers, "webhook-id": flipped(headers["webhook-id"], 0) };
    if (accepts(secret, body, id)) fail("accepted with another id");
  }
}
console.log(`${letters.length} letters: npm's verifier does ${verdict} them, and refuses forgeries`);
